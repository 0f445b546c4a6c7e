// Drives the client "cronofy": a JSON object a line in, {"answer"} or {"error"} a line out.
// NODE_PATH says where the client is installed; "method" is one of its methods.
"use strict";
const Cronofy = require("cronofy");
const lines = require("readline").createInterface({ input: process.stdin });

const failure = (error) => ({
  message: error.message,
  status: error.statusCode ?? null,
  entity: error.error?.entity ?? null,
});

lines.on("line", async (line) => {
  const { base, config, method, options } = JSON.parse(line);
  const client = new Cronofy(config);
  client.urls.api = base;
  let told;
  try {
    told = { answer: (await client[method](options)) ?? null };
  } catch (error) {
    told = { error: failure(error) };
  }
  process.stdout.write(JSON.stringify({ ...told, config: client.config }) + "\n");
});
