import { memoryStage } from '../support/stores.js';
import { describeEncryption } from './encryption.suite.js';

describeEncryption(memoryStage('moved'));
