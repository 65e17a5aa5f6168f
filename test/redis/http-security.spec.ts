import { describeAdministration } from '../e2e/administration.suite.js';
import { describeEncryption } from '../e2e/encryption.suite.js';
import { describePrivacy } from '../e2e/privacy.suite.js';
import { describePrivileges } from '../e2e/privileges.suite.js';
import { describeSignals } from '../e2e/signals.suite.js';
import { describeReplays } from '../e2e/signals-replay.suite.js';
import { useRedis } from '../support/servers/hooks.js';
import { redisStage } from '../support/stores.js';
import { describeDump } from './http-dump.suite.js';

const server = useRedis();
const stage = redisStage(server);

describeAdministration(stage);
describeEncryption(stage);
describePrivacy(stage);
describePrivileges(stage);
describeSignals(stage);
describeReplays(stage);

describeDump(stage, () => server().url);
