import { describe } from '@jest/globals';
import { describeMainPath } from '../e2e/main-path.suite.js';
import { useRedis } from '../support/servers/hooks.js';
import { redisStage } from '../support/stores.js';

const server = useRedis();

describe('ioredis 6', () => {
  describeMainPath(redisStage(server));
});

describe('ioredis 5', () => {
  describeMainPath(redisStage(server, { driver: 'ioredis5', adapters: ['fastify'] }));
});
