// Fills a pair of tables by the JavaScript port and LangGraph.js. Each thread is a scenario of
// `graphs.py`, with the same nodes and channels.
//
//   node javascript.cjs write MODULES ENDPOINT CHECKPOINTS WRITES
//   node javascript.cjs read MODULES ENDPOINT CHECKPOINTS WRITES THREAD
//
// MODULES is the folder above `node_modules`. The port's ESM entry does not load, hence `require`.
"use strict";

const [action, modules, endpoint, checkpointsTableName, writesTableName, threadId] =
  process.argv.slice(2);
const load = (name) => require(require.resolve(name, { paths: [modules] }));
const { DynamoDBSaver } = load("@rwai/langgraphjs-checkpoint-dynamodb");
const { Annotation, Command, MessagesAnnotation, Send, START, StateGraph, interrupt } =
  load("@langchain/langgraph");
const { AIMessage, HumanMessage } = load("@langchain/core/messages");
const { FakeStreamingChatModel } = load("@langchain/core/utils/testing");

const checkpointer = new DynamoDBSaver({
  clientConfig: {
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  },
  checkpointsTableName,
  writesTableName,
});
const State = Annotation.Root({
  log: Annotation({ reducer: (left, right) => left.concat(right), default: () => [] }),
  note: Annotation(),
});
const thread = (id) => ({ configurable: { thread_id: id } });
const hi = { log: ["hi"] };

const chatGraph = (answer) =>
  new StateGraph(MessagesAnnotation)
    .addNode("model", async (state) => ({ messages: [await answer(state.messages)] }))
    .addEdge(START, "model")
    .compile({ checkpointer });

const pairGraph = (left, right) =>
  new StateGraph(State)
    .addNode("left", left)
    .addNode("right", right)
    .addEdge(START, "left")
    .addEdge(START, "right")
    .compile({ checkpointer });

const raise = () => {
  throw new TypeError("it failed");
};

const scenarios = {
  async chat(config) {
    const graph = chatGraph(async (messages) => new AIMessage(`answer ${messages.length}`));
    await graph.invoke({ messages: [new HumanMessage("first")] }, config);
    await graph.invoke({ messages: [new HumanMessage("second")] }, config);
  },
  async streamed(config) {
    const model = new FakeStreamingChatModel({ responses: [new AIMessage("hello there")] });
    const graph = chatGraph((messages) => model.invoke(messages));
    const input = { messages: [new HumanMessage("hi")] };
    const stream = await graph.stream(input, { ...config, streamMode: "messages" });
    for await (const _ of stream);
  },
  async asks(config) {
    const graph = new StateGraph(State)
      .addNode("ask", () => ({ log: [`answer: ${interrupt({ question: "sure?" })}`] }))
      .addNode("end", () => ({ log: ["end"] }))
      .addEdge(START, "ask")
      .addEdge("ask", "end")
      .compile({ checkpointer });
    await graph.invoke(hi, config);
  },
  async asks_twice(config) {
    const graph = new StateGraph(State)
      .addNode("ask", () => ({ log: [`${interrupt("one?")} and ${interrupt("two?")}`] }))
      .addEdge(START, "ask")
      .compile({ checkpointer });
    await graph.invoke(hi, config);
    await graph.invoke(new Command({ resume: "1" }), config);
  },
  async both_ask(config) {
    const graph = pairGraph(
      () => ({ log: [`left: ${interrupt("left?")}`], note: "left" }),
      () => ({ log: [`right: ${interrupt("right?")}`] }),
    );
    await graph.invoke(hi, config);
  },
  async both_fail(config) {
    await pairGraph(raise, raise).invoke(hi, config).catch((error) => error.message);
  },
  async sends(config) {
    const graph = new StateGraph(State)
      .addNode("plan", () => ({ log: ["plan"] }))
      .addNode("work", (state) => ({ log: [`work ${state.item}`] }))
      .addEdge(START, "plan")
      .addConditionalEdges("plan", () => [1, 2].map((item) => new Send("work", { item })))
      .compile({ checkpointer, interruptBefore: ["work"] });
    await graph.invoke(hi, config);
  },
  async nested(config) {
    const child = new StateGraph(State)
      .addNode("ask", () => ({ log: [`child: ${interrupt("child?")}`] }))
      .addEdge(START, "ask")
      .compile();
    const graph = new StateGraph(State)
      .addNode("child", child)
      .addNode("end", () => ({ log: ["end"] }))
      .addEdge(START, "child")
      .addEdge("child", "end")
      .compile({ checkpointer });
    await graph.invoke(hi, config);
  },
  async undefined_values(config) {
    const graph = new StateGraph(State)
      .addNode("node", () => ({ log: ["a", undefined, { b: undefined, c: 1 }], note: undefined }))
      .addEdge(START, "node")
      .compile({ checkpointer });
    await graph.invoke(hi, config);
  },
};

async function write() {
  for (const [name, run] of Object.entries(scenarios)) await run(thread(name));
}

async function read() {
  const found = await checkpointer.getTuple(thread(threadId));
  console.log(JSON.stringify(found?.checkpoint.channel_values.log));
}

({ write, read })[action]().catch((error) => {
  console.error(error);
  process.exit(1);
});
