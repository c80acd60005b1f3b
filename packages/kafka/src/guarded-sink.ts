import type { ConsumerSink, Logger } from "@waybill/core/transport";

/** A sink whose faults are logged and go no further: thrown into the client's own loop, one would end the consumer. */
export function guardSink(sink: ConsumerSink, logger: Logger): ConsumerSink {
  const report = (error: unknown): void => logger.error({ error }, "what consumes has thrown, which it must not");
  const guard = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      report(error);
    }
  };
  return {
    gained: (source, info) => guard(() => sink.gained(source, info)),
    batch: (source, messages) => guard(() => sink.batch(source, messages)),
    losing: async (sources, deadline) => {
      try {
        await sink.losing(sources, deadline);
      } catch (error) {
        report(error);
      }
    },
    lost: (sources, why) => guard(() => sink.lost(sources, why)),
    failed: (error) => guard(() => sink.failed(error)),
  };
}
