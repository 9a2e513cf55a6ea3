/**
 * Trains both models, writes artifacts and manifests, and prints how they compare.
 *
 *   node src/train-main.ts <folder>
 */
import { writeArtifacts } from './artifacts.ts'
import { train } from './training.ts'

const folder = process.argv[2]
if (folder === undefined) {
  console.error('train: say where to: node src/train-main.ts <folder>')
  process.exit(2)
}
const training = await train()
const manifests = await writeArtifacts(folder, training)
const { report } = training
console.log(
  `trained on ${report.trainedRows} rows (rates from ${report.ratedRows} others) in ${report.seconds.toFixed(1)} s`,
)
for (const { name, digest, aucHeldOut, threshold } of Object.values(manifests)) {
  console.log(
    `${name}  ${digest}  AUC ${aucHeldOut.toFixed(4)} on ${report.heldOutRows} held-out rows  late from ${threshold}`,
  )
}
