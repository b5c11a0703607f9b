// What the programs here share: the arguments, and the lines that they print.
"use strict";
const { readFileSync } = require("node:fs");

exports.say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

exports.versionOf = (name) => {
  for (const dir of process.env.NODE_PATH.split(":")) {
    return JSON.parse(readFileSync(`${dir}/${name}/package.json`)).version;
  }
};

// command follows a text that begins with "!", and returns false if the message is to be echoed.
exports.command = (text, close, send) => {
  const [name, arg, ...rest] = text.split(" ");
  if (name === "!close") {
    close(Number(arg), rest.join(" "));
    return true;
  }
  if (name === "!send") {
    send(Buffer.alloc(Number(arg)));
    return true;
  }
  return false;
};

// run starts the program: client connects to one URL and returns a promise of the end.
exports.run = ({ version, client, server }) => {
  const [mode, ...args] = process.argv.slice(2);
  if (mode === "version") {
    console.log(version());
  } else if (mode === "client") {
    const [caFile, ...urls] = args;
    const ca = readFileSync(caFile);
    (async () => {
      for (const url of urls) {
        try {
          exports.say(await client(url, ca));
        } catch (why) {
          exports.say({ failed: String(why && why.message || why) });
        }
      }
    })();
  } else {
    const [port, certFile, keyFile] = args;
    server(Number(port), readFileSync(certFile), readFileSync(keyFile));
  }
};
