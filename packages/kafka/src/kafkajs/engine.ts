import type { Engine, EngineFactory } from "../engine.ts";
import { KafkajsAdmin } from "./admin.ts";
import { KafkajsMember } from "./member.ts";
import { KafkajsProducer } from "./producer.ts";
import { KafkajsReader } from "./reader.ts";

/** kafkajs 2.2.4, with what it does wrong put right: see the files beside this one. */
export const kafkajsEngine: EngineFactory = (options): Engine => {
  const admin = new KafkajsAdmin(options);
  const severed = new Set<() => void>([() => admin.sever()]);
  const readers = new Set<KafkajsReader>();
  return {
    admin,
    producer(state) {
      const producer = new KafkajsProducer(options, state);
      severed.add(() => producer.sever());
      return producer;
    },
    member(spec, events) {
      const member = new KafkajsMember(options, spec, events);
      const sever = () => member.sever();
      severed.add(sever);
      return {
        start: (of, offset, paused) => member.start(of, offset, paused),
        pause: (of) => member.pause(of),
        resume: (of) => member.resume(of),
        commit: (generation, offsets) => member.commit(generation, offsets),
        close: async (deadline) => {
          await member.close(deadline);
          severed.delete(sever);
        },
      };
    },
    reader() {
      const reader = new KafkajsReader(options);
      readers.add(reader);
      return {
        read: (of, offset) => reader.read(of, offset),
        close: async () => {
          readers.delete(reader);
          await reader.close();
        },
      };
    },
    async close() {
      await Promise.all([admin, ...readers].map((one) => one.close()));
    },
    sever() {
      for (const reader of readers) reader.sever();
      for (const cut of severed) cut();
    },
  };
};
