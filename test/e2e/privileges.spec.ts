import { memoryStage } from '../support/stores.js';
import { describePrivileges } from './privileges.suite.js';

describePrivileges(memoryStage('moved'));
