import { describeRotation } from '../e2e/rotation.suite.js';
import { useCluster } from '../support/servers/hooks.js';
import { clusterStage } from '../support/stores.js';

describeRotation(clusterStage(useCluster()));
