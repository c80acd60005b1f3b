import type { Events } from "../events.ts";
import type { Logger } from "../logger.ts";
import type { PartitionEvent } from "../plugin.ts";
import type { ConsumerSink, Source } from "../transport.ts";

/** The same sink, with what happens to its sources told to plugins and to the log. */
export function announced(
  sink: ConsumerSink,
  { topic, group, events, logger }: { topic: string; group: string; events: Events; logger: Logger },
): ConsumerSink {
  const of = ({ partition, epoch }: Source): PartitionEvent => ({ topic, group, partition, epoch });
  return {
    gained(source, info) {
      logger.debug({ ...of(source), committed: info.committed }, "gained a partition");
      if (info.gap) logger.error(of(source), "the broker dropped messages that this group had not read");
      sink.gained(source, info);
      events.emit("gained", of(source));
      if (info.gap) events.emit("gap", of(source));
    },
    batch: (source, messages) => sink.batch(source, messages),
    losing: (sources, deadline) => sink.losing(sources, deadline),
    lost(sources, why) {
      sink.lost(sources, why);
      for (const source of sources) {
        logger.debug({ ...of(source), why }, "lost a partition");
        events.emit("lost", { ...of(source), why });
      }
    },
    failed: (error) => sink.failed(error),
  };
}
