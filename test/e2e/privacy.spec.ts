import { memoryStage } from '../support/stores.js';
import { describePrivacy } from './privacy.suite.js';

describePrivacy(memoryStage('moved'));
