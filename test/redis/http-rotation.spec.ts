import { describeRotation } from '../e2e/rotation.suite.js';
import { useRedis } from '../support/servers/hooks.js';
import { redisStage } from '../support/stores.js';

describeRotation(redisStage(useRedis()));
