import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { storeProvider } from '../redis/index.js';
import { LiveGate } from '../realtime/index.js';
import { AbsenceKeeper } from './absence.keeper.js';
import { BacklogFinder } from './backlog.finder.js';
import { BacklogReplay } from './backlog.replay.js';
import { BacklogRepository } from './backlog.repository.js';
import { CommitListener } from './commit.listener.js';
import { DeliveryGate } from './delivery.gate.js';
import { DeviceController } from './device.controller.js';
import { DeviceCursorRepository } from './device-cursor.repository.js';
import { DeviceCursorWriter } from './device-cursor.writer.js';
import { DeviceMarks } from './device-marks.js';
import { DeviceRepository } from './device.repository.js';
import { DeviceService } from './device.service.js';
import { DeviceSightings } from './device.sightings.js';
import { MemoryOfflineQueueStore } from './memory.offline-queue.store.js';
import { HiddenReplay } from './hidden.replay.js';
import { HiddenRepository } from './hidden.repository.js';
import { NotificationDispatcher } from './notification.dispatcher.js';
import { NotificationIntake } from './notification.intake.js';
import { NotificationRepository } from './notification.repository.js';
import { CountingOfflineNotifier, OfflineNotifier } from './offline.notifier.js';
import { OfflineQueueStore } from './offline-queue.store.js';
import { PendingRepository } from './pending.repository.js';
import { ProofScheduler } from './proof.scheduler.js';
import { RedeliveryBudget } from './redelivery.budget.js';
import { RedeliveryService } from './redelivery.service.js';
import { RedisOfflineQueueStore } from './redis.offline-queue.store.js';
import { SyncGateway } from './sync.gateway.js';
import { SyncRepository } from './sync.repository.js';
import { SyncService } from './sync.service.js';
import { UserAbsences } from './user-absences.js';

export interface DeliveryOptions {
  /**
   * Tells users who are away that they have mail; default: a count. Made by Nest, so it may inject
   * what is global.
   */
  offlineNotifier?: Type<OfflineNotifier>;
}

/** Nothing missed. Global, since what goes out live asks its gate. */
@Global()
@Module({})
export class DeliveryModule {
  static forRoot({ offlineNotifier = CountingOfflineNotifier }: DeliveryOptions = {}): DynamicModule {
    return {
      module: DeliveryModule,
      controllers: [DeviceController],
      providers: [
        { provide: LiveGate, useExisting: DeliveryGate },
        { provide: OfflineNotifier, useClass: offlineNotifier },
        storeProvider(OfflineQueueStore, { redis: RedisOfflineQueueStore, memory: MemoryOfflineQueueStore }),
        AbsenceKeeper,
        BacklogFinder,
        BacklogReplay,
        BacklogRepository,
        CommitListener,
        DeliveryGate,
        DeviceCursorRepository,
        DeviceCursorWriter,
        DeviceMarks,
        DeviceRepository,
        DeviceService,
        DeviceSightings,
        HiddenReplay,
        HiddenRepository,
        NotificationDispatcher,
        NotificationIntake,
        NotificationRepository,
        PendingRepository,
        ProofScheduler,
        RedeliveryBudget,
        RedeliveryService,
        SyncGateway,
        SyncRepository,
        SyncService,
        UserAbsences,
      ],
      exports: [LiveGate],
    };
  }
}
