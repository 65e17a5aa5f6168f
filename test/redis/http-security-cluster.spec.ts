import { describeAdministration } from '../e2e/administration.suite.js';
import { describeEncryption } from '../e2e/encryption.suite.js';
import { describePrivacy } from '../e2e/privacy.suite.js';
import { describePrivileges } from '../e2e/privileges.suite.js';
import { describeSignals } from '../e2e/signals.suite.js';
import { describeReplays } from '../e2e/signals-replay.suite.js';
import { useCluster } from '../support/servers/hooks.js';
import { clusterStage } from '../support/stores.js';

const stage = clusterStage(useCluster());

describeAdministration(stage);
describeEncryption(stage);
describePrivacy(stage);
describePrivileges(stage);
describeSignals(stage);
describeReplays(stage);
