import { describePrivileges } from '../e2e/privileges.suite.js';
import { useRedis } from '../support/servers/hooks.js';
import { redisStage } from '../support/stores.js';

const stage = redisStage(useRedis());

describePrivileges(stage);
