import { memoryStage } from '../support/stores.js';
import { describeReplays } from './signals-replay.suite.js';

describeReplays(memoryStage('moved'));
