import type {
  Connection,
  ConsumerSink,
  ConsumeSpec,
  Incoming,
  Source,
  Transport,
  TransportConsumer,
  TransportPublisher,
} from "@waybill/core/transport";

/** Replaces some of what a connection does. */
export type Tamper = (connection: Connection) => Partial<Connection>;

/** The same transport with every connection tampered with. */
export function tamper(transport: Transport, change: Tamper): Transport {
  return {
    name: transport.name,
    capabilities: transport.capabilities,
    connect(context) {
      const connection = transport.connect(context);
      return {
        ready: (options) => connection.ready(options),
        provision: (topic, mode, options) => connection.provision(topic, mode, options),
        publisher: (purpose) => connection.publisher(purpose),
        consume: (spec, sink) => connection.consume(spec, sink),
        admin: connection.admin,
        health: () => connection.health(),
        close: (options) => connection.close(options),
        sever: () => connection.sever(),
        ...change(connection),
      };
    },
  };
}

type Publish = TransportPublisher["publish"];

/** Tampers with publishing; copies for dead letters only where asked. */
export function publishing(change: (next: Publish, purpose: "publish" | "copy") => Publish): Tamper {
  return (connection) => ({
    publisher(purpose) {
      const publisher = connection.publisher(purpose);
      return {
        publish: change((to, batch, options) => publisher.publish(to, batch, options), purpose),
        close: () => publisher.close(),
      };
    },
  });
}

/** Tampers with the question: where, as whom and from where on to consume. */
export function asking(change: (spec: ConsumeSpec) => ConsumeSpec): Tamper {
  return (connection) => ({ consume: (spec, sink) => connection.consume(change(spec), sink) });
}

/** Tampers with each message on its way to the handlers. */
export function delivering(change: (message: Incoming) => Incoming | undefined): Tamper {
  return sinking((sink) => ({
    batch(source, messages) {
      const changed = messages.flatMap((message) => change(message) ?? []);
      if (changed.length > 0) sink.batch(source, changed);
    },
  }));
}

/** Tampers with what core is told. */
export function sinking(change: (sink: ConsumerSink, spec: ConsumeSpec) => Partial<ConsumerSink>): Tamper {
  return (connection) => ({ consume: (spec, sink) => connection.consume(spec, { ...passing(sink), ...change(sink, spec) }) });
}

/** Tampers with settlement: core gets other sources than the transport's. */
export function settling(change: (source: Source) => Source["settle"]): Tamper {
  return sinking((sink) => {
    const changed = new Map<Source, Source>();
    const of = (source: Source) => {
      const known = changed.get(source) ?? {
        ...{ id: source.id, epoch: source.epoch, partition: source.partition },
        ...{ pause: () => source.pause(), resume: () => source.resume(), settle: change(source) },
      };
      changed.set(source, known);
      return known;
    };
    return {
      gained: (source, info) => sink.gained(of(source), info),
      batch: (source, messages) => sink.batch(of(source), messages),
      losing: (sources, deadline) => sink.losing(sources.map(of), deadline),
      lost: (sources, why) => sink.lost(sources.map(of), why),
    };
  });
}

/** Settles all that was handed over when a consumer closes, or when its connection is severed. */
export function settlingAll(when: "close" | "sever"): Tamper {
  return (connection) => {
    const handedOver = new Map<Source, number>();
    const settle = () => Promise.all([...handedOver].map(([source, upTo]) => source.settle({ upTo, singles: [] })));
    return {
      consume(spec, sink): TransportConsumer {
        const noting = (source: Source, messages: readonly Incoming[]) => {
          handedOver.set(source, messages.at(-1)?.token ?? 0);
          sink.batch(source, messages);
        };
        const consumer = connection.consume(spec, { ...passing(sink), batch: noting });
        if (when !== "close") return consumer;
        const close: typeof consumer.close = async (options) => {
          await settle();
          await consumer.close(options);
        };
        return { ready: consumer.ready, close };
      },
      sever() {
        if (when === "sever") void settle();
        connection.sever();
      },
    };
  };
}

export function passing(sink: ConsumerSink): ConsumerSink {
  return {
    gained: (source, info) => sink.gained(source, info),
    batch: (source, messages) => sink.batch(source, messages),
    losing: (sources, deadline) => sink.losing(sources, deadline),
    lost: (sources, why) => sink.lost(sources, why),
    failed: (error) => sink.failed(error),
  };
}
