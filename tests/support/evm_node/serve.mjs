// Runs an EVM node on a free port of loopback until stdin closes; the first line of stdout tells where.
import ganache from "ganache";

const server = ganache.server({
  chain: { chainId: 31337, hardfork: "shanghai" },
  wallet: { deterministic: true, totalAccounts: 4 },
  logging: { quiet: true },
});
await server.listen(0, "127.0.0.1");
const accounts = Object.entries(server.provider.getInitialAccounts());
console.log(JSON.stringify({
  port: server.address().port,
  accounts: accounts.map(([address, account]) => ({ address, key: account.secretKey })),
}));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
