import { memoryStage } from '../support/stores.js';
import { describeMainPath } from './main-path.suite.js';

describeMainPath(memoryStage('real'));
