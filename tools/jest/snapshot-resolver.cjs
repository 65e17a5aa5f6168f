// Keeps snapshots beside the TypeScript specs. Jest would put them into the build folder, which
// every run deletes.
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const build = path.resolve(root, process.env.BUILD_DIR || 'build');

module.exports = {
  resolveSnapshotPath: (testPath, extension) => {
    const spec = path.join(root, path.relative(build, testPath)).replace(/\.js$/, '.ts');
    return path.join(path.dirname(spec), '__snapshots__', path.basename(spec) + extension);
  },
  resolveTestPath: (snapshotPath, extension) => {
    const folder = path.join(path.dirname(snapshotPath), '..');
    const spec = path.join(folder, path.basename(snapshotPath).slice(0, -extension.length));
    return path.join(build, path.relative(root, spec)).replace(/\.ts$/, '.js');
  },
  testPathForConsistencyCheck: path.join(build, 'test', 'unit', 'example.spec.js'),
};
