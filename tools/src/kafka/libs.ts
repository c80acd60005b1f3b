import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BrokerUnavailableError } from "../errors.ts";
import { withLock } from "../system/lock.ts";
import type { Log } from "../system/log.ts";
import { brokersDir } from "../system/paths.ts";
import { run } from "../system/process.ts";

/** The Kafka release that is downloaded; it runs on Java 17 and later. */
export const KAFKA_VERSION = "4.4.0";

/** The directory that holds Kafka's jars, downloaded with Maven on first use, about 43 MB. */
export async function kafkaLibs(log: Log): Promise<string> {
  await need("java", "-version");
  const cache = join(brokersDir(), "cache");
  const libs = join(cache, `kafka-${KAFKA_VERSION}`);
  if (existsSync(libs)) return libs;
  return withLock(join(cache, "kafka.lock"), log, async () => {
    if (!existsSync(libs)) await download(cache, libs, log);
    return libs;
  });
}

async function download(cache: string, libs: string, log: Log): Promise<void> {
  await need("mvn", "--version");
  log(`downloading Kafka ${KAFKA_VERSION} with Maven (43 MB, once)`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "kafka-"));
  try {
    writeFileSync(join(work, "pom.xml"), pom());
    const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${join(work, "libs")}`];
    await run("mvn", ["-q", "-B", "-f", join(work, "pom.xml"), ...goal]).catch(unavailable);
    renameSync(join(work, "libs"), libs);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function need(program: string, flag: string): Promise<void> {
  await run(program, [flag]).catch(unavailable);
}

function unavailable(error: Error): never {
  throw new BrokerUnavailableError(`a local Kafka needs Java 17 or later, and Maven for its download: ${error.message}`, {
    cause: error,
  });
}

/** Kafka's server without its tools; slf4j-simple because start-up failures are invisible without a logging backend. */
function pom(): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>waybill</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version>
      <exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions>
    </dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;
}
