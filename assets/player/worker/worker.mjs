// The worker: an engine whose messages come and go by postMessage.

import { Engine } from "./engine.mjs";

const engine = new Engine((message, transfers = []) => self.postMessage(message, transfers));
self.onmessage = ({ data }) => engine.handle(data);
