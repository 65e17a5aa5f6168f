import { memoryStage } from '../support/stores.js';
import { describeRotation } from './rotation.suite.js';

describeRotation(memoryStage('moved'));
