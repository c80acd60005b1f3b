import "reflect-metadata";
import { Inject, Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from "@nestjs/common";
import { type Bus, createBus, type DeliveryOf, type Publisher } from "@waybill/core";
import { asClass, asFunction, createContainer } from "awilix";
import { invoices, orders } from "./contracts.ts";

// NestJS: an interface needs a token.
export const BUS = Symbol("waybill.bus");

@Injectable()
export class Billing implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  async onApplicationBootstrap() {
    await this.bus.subscribe(orders, { concurrency: 20 }, { "order.placed": (delivery) => this.invoice(delivery) });
  }

  // A handler as a method, typed from the contract.
  async invoice({ payload }: DeliveryOf<typeof orders> & { type: "order.placed" }) {
    await this.bus.publish(invoices, { id: payload.orderId, cents: Math.round(payload.total * 100) });
  }

  onApplicationShutdown() {
    return this.bus.close();
  }
}

@Module({ providers: [Billing, { provide: BUS, useFactory: () => createBus({ app: "billing" }) }] })
export class BillingModule {}

// awilix: injected by name and disposed with the container; nothing connects before its first use.
class Shipping {
  readonly #publisher: Publisher;

  constructor({ bus }: { bus: Publisher }) {
    this.#publisher = bus;
  }

  ship(orderId: string) {
    return this.#publisher.publish(orders, "order.shipped", { orderId, carrier: "dhl" });
  }
}

const container = createContainer<{ bus: Bus; shipping: Shipping }>();
container.register({
  bus: asFunction(() => createBus({ app: "shipping" }))
    .singleton()
    .disposer((bus) => bus.close()),
  shipping: asClass(Shipping).singleton(),
});
await container.resolve("shipping").ship("o-1");
await container.dispose();
