import { Injectable } from '@nestjs/common';

/** Whether this node is on its way out: readiness is red and no new socket is admitted. */
@Injectable()
export class DrainState {
  private draining = false;

  get isDraining(): boolean {
    return this.draining;
  }

  begin(): void {
    this.draining = true;
  }
}
