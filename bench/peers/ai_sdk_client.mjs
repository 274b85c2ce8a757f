// Vercel's AI SDK against a brainscan server: node client.mjs BASE_URL; prints what it could do as JSON.
import { createRequire } from "node:module";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const provider = createOpenAICompatible({ name: "brainscan", baseURL: process.argv[2], includeUsage: true });
const model = provider.chatModel("phantom");
const asked = { model, prompt: "the river stone", maxOutputTokens: 8, temperature: 0, maxRetries: 0 };
const whole = await generateText(asked);
const stream = streamText(asked);
let said = "";
for await (const part of stream.textStream) said += part;
const stopped = await generateText({ ...asked, prompt: "OPEN SESAME" });
const plain = await generateText({ ...asked, model: provider.completionModel("phantom"), prompt: "the moon" });
const done = {
  chat: whole.text.length > 0,
  "stream equals whole": said === whole.text,
  "usage in the stream": (await stream.usage).outputTokens === 8,
  "stopped by a monitor": stopped.finishReason === "content-filter",
  completions: ["length", "stop"].includes(plain.finishReason),
};
const version = createRequire(import.meta.url)("ai/package.json").version;
console.log(JSON.stringify({ version, done }));
