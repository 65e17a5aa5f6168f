import { memoryStage } from '../support/stores.js';
import { describeSignals } from './signals.suite.js';

describeSignals(memoryStage('moved'));
