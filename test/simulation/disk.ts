import type { KeptCommands } from '@interlock/client/agent'
import { compareOrders, type DeploymentId, type Order } from '@interlock/contracts'
import type { PositionStore } from '@interlock/notifier'
import type { SimulatedProcess, Simulation } from '@interlock/runtime'

const callMs = 1

/** What a service has written down. It outlives its processes; while it is full it can be read and not written. */
export class Disk {
  isFull = false
  private positions = new Map<number, bigint>()
  private readonly commands = new Map<DeploymentId, { readonly order: Order; readonly signed: Uint8Array }>()
  private readonly lost = new Map<DeploymentId, Order>()
  private readonly simulation: Simulation

  constructor(simulation: Simulation) {
    this.simulation = simulation
  }

  /** Order of the command that a restart would find. */
  orderOf(deployment: DeploymentId): Order | undefined {
    return this.commands.get(deployment)?.order
  }

  /** Whether a command that outranks what is kept was acted on and could not be written. */
  hasLost(deployment: DeploymentId): boolean {
    const lost = this.lost.get(deployment)
    const known = this.orderOf(deployment)
    return lost !== undefined && (known === undefined || compareOrders(lost, known) > 0)
  }

  /** An agent's commands: the highest of each deployment. */
  kept(process: SimulatedProcess): KeptCommands {
    return {
      read: (deployment) => this.call(process, () => this.commands.get(deployment)?.signed ?? null),
      write: ({ command: { deployment, order }, signed }) => {
        if (this.isFull && order[2] > 0) this.lost.set(deployment, order)
        return this.write(process, () => {
          const before = this.commands.get(deployment)
          if (before === undefined || compareOrders(order, before.order) > 0)
            this.commands.set(deployment, { order, signed })
        })
      },
      prepare: async () => {},
    }
  }

  /** A notifier's positions. */
  store(process: SimulatedProcess): PositionStore {
    return {
      load: () => this.call(process, () => new Map(this.positions)),
      save: (positions) => {
        const copy = new Map(positions)
        return this.write(process, () => {
          this.positions = copy
        })
      },
    }
  }

  private write(process: SimulatedProcess, work: () => void): Promise<void> {
    return this.call(process, () => {
      if (this.isFull) throw new Error('ENOSPC: no space left on device, write')
      work()
    })
  }

  /** Its effect comes in the middle of its time, so that a caller may die before, during and after it. */
  private call<Answer>(process: SimulatedProcess, work: () => Answer): Promise<Answer> {
    return new Promise((resolve, reject) =>
      this.simulation.after(callMs / 2, () => {
        let settle: () => void
        try {
          const answer = work()
          settle = () => resolve(answer)
        } catch (error) {
          settle = () => reject(error)
        }
        this.simulation.after(callMs / 2, () => process.deliver(settle))
      }),
    )
  }
}
