import { memoryStage } from '../support/stores.js';
import { describeAdministration } from './administration.suite.js';

describeAdministration(memoryStage('moved'));
