import { describePrivileges } from '../e2e/privileges.suite.js';
import { useCluster } from '../support/servers/hooks.js';
import { clusterStage } from '../support/stores.js';

const stage = clusterStage(useCluster());

describePrivileges(stage);
