import { describe } from '@jest/globals';
import { describeMainPath } from '../e2e/main-path.suite.js';
import { useSentinel } from '../support/servers/hooks.js';
import { sentinelStage } from '../support/stores.js';
import { describeFailover } from './http-failover.suite.js';

const sentinel = useSentinel();

describe('ioredis 6', () => {
  describeMainPath(sentinelStage(sentinel));
  describeFailover(sentinel);
});

describe('ioredis 5', () => {
  describeMainPath(sentinelStage(sentinel, { driver: 'ioredis5', adapters: ['fastify'] }));
  describeFailover(sentinel, 'ioredis5');
});
