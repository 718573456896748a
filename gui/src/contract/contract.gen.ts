// Generated from shared/contract by `make generate`; changes here are lost.

export type ErrorCode = "INVALID_REQUEST" | "INVALID_WORKFLOW" | "UNKNOWN_COMMAND" | "UNAUTHENTICATED" | "BAD_SIGNATURE" | "STALE" | "REPLAYED" | "FORBIDDEN" | "NOT_FOUND" | "METHOD_NOT_ALLOWED" | "CONFLICT" | "TOO_LARGE" | "UNSUPPORTED_MEDIA" | "RATE_LIMITED" | "BUDGET_EXCEEDED" | "PAYMENT_REQUIRED" | "COMPONENT_FAILED" | "SANDBOX_UNAVAILABLE" | "STORAGE_FULL" | "JOURNAL_CORRUPT" | "ENGINE_UNAVAILABLE" | "BUSY" | "DEADLINE_EXCEEDED" | "NOT_IMPLEMENTED" | "CONFIGURATION" | "INTERNAL";

export type AccountDeleted = {
  message: string;
  engines: number;
  shares: number;
  items: number;
  invoices: number;
};
export type ActiveJob = {
  id: string;
  preset: (string | null);
  duration_seconds: number;
};
export type AdminPlan = {
  plan: PlanItem;
  users: (number | null);
};
export type AdminUser = {
  address: string;
  username: (string | null);
  created_at: string;
  engines: number;
  plan: string;
};
export type AdminUsers = {
  users: (AdminUser)[];
  total: number;
  next: (string | null);
};
export type ApproveManual = {
  job_id?: (string | null);
  request_id?: (string | null);
  node_id: string;
  comment?: string;
  approval_id?: (string | null);
};
export type AssetItem = {
  symbol: string;
  decimals: number;
  contract: (string | null);
};
export type AuditEvent = {
  seq: number;
  at: string;
  at_ms: number;
  actor: string;
  action: string;
  subject: string;
  prev: string;
  hash: string;
};
export type AuditPage = {
  events: (AuditEvent)[];
  next: (number | null);
};
export type BreakpointHit = {
  type?: string;
  job_id: string;
  seq: number;
  connection_id: string;
  source_node_id: string;
  target_node_id: string;
  preview: string;
  timestamp: number;
};
export type CacheCleared = {
  message: string;
  stats: CacheStats;
};
export type CacheStats = {
  files_deleted: number;
  folders_deleted?: number;
  db_rows_deleted?: number;
  errors?: number;
};
export type ChainItem = {
  chain_id: number;
  name: string;
  recipient: string;
  confirmations: number;
  assets: (AssetItem)[];
};
export type ChangeLinkBody = {
  permission_level?: (ShareLevel | null);
  grant?: (SignedWord | null);
};
export type ChangedLink = {
  message: string;
  share_id: string;
  permission_level: ShareLevel;
  grant_text: string;
  needs_grant: boolean;
};
export type CheckoutBody = {
  plan: string;
  months: number;
  chain_id: number;
  asset: string;
};
export type ClaimBody = {
  engine_id: string;
  proof: string;
};
export type ClaimedEngine = {
  id: string;
  name: string;
  status: "online" | "offline";
  owner: string;
};
export type ClaimedToken = {
  token: string;
  engine_id: string;
};
export type Companion = {
  id: string;
  address: (string | null);
  visitor: boolean;
  edits: boolean;
  selected: (string)[];
};
export type ComponentInfo = {
  id: string;
  name: string;
  version: string;
  description: string;
  is_paused?: boolean;
  is_core?: boolean;
  is_installed?: boolean;
  tier?: string;
  manifest: ManifestInfo;
};
export type ComponentInspection = {
  type?: string;
  component_id: string;
  component_type: "modules" | "plugins" | "tools" | "triggers";
  component_name: string;
  version: string;
  hash: string;
  author: (string | null);
  permissions: (PermissionInfo)[];
  requirements: (string)[];
  installed_versions: (string)[];
  touches: (string)[];
  refusal?: (string | null);
  request_id?: (string | null);
};
export type ComponentInstallStatus = {
  type?: string;
  component_id: string;
  component_type: "modules" | "plugins" | "tools" | "triggers";
  success: boolean;
  message: string;
  is_installed: boolean;
  stage: "checking" | "requirements" | "installing" | "done";
  version?: (string | null);
  touches?: (string)[];
  request_id?: (string | null);
};
export type ComponentsList = {
  type?: string;
  component_type: "modules" | "plugins" | "tools" | "triggers";
  components: (ComponentInfo)[];
  request_id?: (string | null);
};
export type ConnectionHistory = {
  type?: string;
  job_id: string;
  connection_id: string;
  history: (PassedPayload)[];
  request_id?: (string | null);
};
export type ConnectionStatusUpdate = {
  type?: string;
  job_id: string;
  seq: number;
  connection_id: string;
  status?: "ACTIVE";
};
export type ContinueRun = {
  job_id?: (string | null);
  request_id?: (string | null);
  connection_id?: (string | null);
};
export type CreateLinkBody = {
  permission_level?: (ShareLevel | null);
  link_name?: string;
  expires_at?: (string | null);
};
export type CreatedLink = {
  share_id: string;
  share_token: (string | null);
  share_url: (string | null);
  permission_level: ShareLevel;
  link_name: string;
  created_at: string;
  expires_at: (string | null);
  engine_id: string;
  grant_text: string;
  needs_grant: boolean;
  message: string;
};
export type CreditBalance = {
  chain_id: number;
  asset: string;
  amount: string;
};
export type CreditItem = {
  chain_id: number;
  asset: string;
  amount: string;
  reason: string;
  at: string;
};
export type Credits = {
  balances: (CreditBalance)[];
  entries: (CreditItem)[];
};
export type DashboardSummary = {
  active_jobs: (ActiveJob)[];
  execution_stats_24h: RunCounts;
  top_failing_presets: (NamedCount)[];
  top_slowest_presets: (SlowPreset)[];
  recent_activity: (string)[];
  usage_stats: UsageCount;
  system_overview: SystemOverview;
  total_engines: number;
  total_shared_with_me: number;
};
export type DebugPopup = {
  type?: string;
  job_id: string;
  seq: number;
  node_id: string;
  title: string;
  content: unknown;
  config?: Record<string, unknown>;
};
export type DeleteAccountBody = {
  confirm: string;
  forfeit?: boolean;
};
export type DeleteItemBody = {
  id: string;
};
export type DeletePreset = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
};
export type DeleteTrigger = {
  job_id?: (string | null);
  request_id?: (string | null);
  rule_id: string;
};
export type DeleteVariable = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
};
export type DeletedLink = {
  status?: string;
  message: string;
};
export type DiffPresetVersions = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
  from_version: number;
  to_version: number;
};
export type DirectoryItem = {
  name: string;
  path: string;
  is_dir: boolean;
  size?: (number | null);
  modified?: (string | null);
};
export type DirectoryList = {
  type?: string;
  path: string;
  items: (DirectoryItem)[];
  truncated?: boolean;
  request_id?: (string | null);
};
export type DisableBody = {
  reason: string;
};
export type DisableTrigger = {
  job_id?: (string | null);
  request_id?: (string | null);
  rule_id: string;
};
export type DisabledComponent = {
  component_id: string;
  reason: string;
  by: string;
  at: string;
};
export type Done = {
  status?: string;
  message?: string;
};
export type DriveItem = {
  name: string;
  path: string;
  is_dir?: boolean;
  type?: "drive";
};
export type DrivesList = {
  type?: string;
  drives: (DriveItem)[];
  request_id?: (string | null);
};
export type EnableTrigger = {
  job_id?: (string | null);
  request_id?: (string | null);
  rule_id: string;
};
export type Engine = {
  id: string;
  name: string;
  status: "online" | "offline";
  last_seen: (string | null);
};
export type EngineGuests = {
  addresses: (string)[];
  grants: (GuestGrant)[];
};
export type EngineNameBody = {
  name: string;
};
export type EngineOwner = {
  user_id: string;
  username: (string | null);
  email: (string | null);
};
export type EngineShare = {
  share_id: string;
  user_id: string;
  engine_id: string;
  username: (string | null);
  email: (string | null);
  public_address: string;
  role: "reader" | "runner" | "admin";
  shared_at: string;
  needs_grant: boolean;
};
export type EngineToken = {
  message: string;
  token: string;
  engine_id: string;
};
export type EngineVitals = {
  type?: string;
  engineId: string;
  isBusy: boolean;
  cpuPercent: number;
  memoryPercent: number;
};
export type ErrorEvent = {
  type?: string;
  code: string;
  message: string;
  details?: unknown;
  job_id?: (string | null);
  request_id?: (string | null);
};
export type ExecuteStandaloneNode = {
  job_id?: (string | null);
  request_id?: (string | null);
  node_data: NodeData;
  mode?: RunMode;
  initial_payload?: unknown;
};
export type ExecuteWorkflow = {
  job_id?: (string | null);
  request_id?: (string | null);
  workflow_data?: (Record<string, unknown> | null);
  initial_payload?: unknown;
  preset_name?: (string | null);
  mode?: RunMode;
  start_node_id?: (string | null);
  pins?: Record<string, Record<string, unknown>>;
  use_pins?: boolean;
  breakpoints?: (string)[];
};
export type ExpressionPreview = {
  type?: string;
  kind: "value" | "text" | "statement" | "own";
  result?: unknown;
  problem?: (string | null);
  has_input?: boolean;
  cut?: boolean;
  request_id?: (string | null);
};
export type FireTrigger = {
  job_id?: (string | null);
  request_id?: (string | null);
  rule_id: string;
  event?: unknown;
};
export type FlowTestMade = {
  type?: string;
  flow_test: Record<string, unknown>;
  request_id?: (string | null);
};
export type GetRun = {
  job_id?: (string | null);
  request_id?: (string | null);
  round?: (number | null);
};
export type GrantPlanBody = {
  plan: string;
  days: number;
};
export type GuestGrant = {
  engine: string;
  guest: string;
  role: "reader" | "runner" | "admin";
  preset: (string | null);
  epoch: number;
  exp: number;
  signature: string;
};
export type Health = {
  status: "healthy";
  database: "connected";
};
export type HeldConnection = {
  connection_id: string;
  source_node_id: string;
  target_node_id: string;
  since: number;
  preview: string;
};
export type InspectComponent = {
  job_id?: (string | null);
  request_id?: (string | null);
  component_id?: (string | null);
  package?: (string | null);
};
export type InstallBody = {
  id?: (string | null);
};
export type InstallComponent = {
  job_id?: (string | null);
  request_id?: (string | null);
  component_type?: "modules" | "plugins" | "tools" | "triggers";
  component_id?: (string | null);
  package?: (string | null);
  accept_permissions?: (string)[];
  repair?: boolean;
};
export type Invoice = {
  number: number;
  issued_at: string;
  plan: string;
  months: number;
  asset: string;
  chain_id: number;
  total: string;
  corrects: (number | null);
  sha256: string;
};
export type ItemDeleted = {
  success?: boolean;
  message: string;
};
export type LeavePreset = {
  job_id?: (string | null);
  request_id?: (string | null);
  preset: string;
};
export type ListPins = {
  job_id?: (string | null);
  request_id?: (string | null);
  preset: string;
};
export type ListPresetVersions = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
};
export type ListRuns = {
  job_id?: (string | null);
  request_id?: (string | null);
  status?: (RunStatus | null);
  before?: (number | null);
  parent_job_id?: (string | null);
  after_item?: (number | null);
  preset_name?: (string | null);
  limit?: number;
};
export type ListTriggers = {
  job_id?: (string | null);
  request_id?: (string | null);
  preset_name?: (string | null);
};
export type LiveStats = {
  active_jobs: (ActiveJob)[];
  execution_stats_24h: RunCounts;
  top_failing_presets: (NamedCount)[];
  top_slowest_presets: (SlowPreset)[];
  recent_activity: (string)[];
  usage_stats: UsageCount;
  system_overview: SystemOverview;
};
export type LoadPreset = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
  owner_id?: (string | null);
  version?: (number | null);
};
export type LoadedPreset = {
  type?: string;
  name: string;
  workflow_data: Record<string, unknown>;
  version: number;
  author_id: string;
  timestamp: string;
  version_hash: string;
  signature: (string | null);
  request_id?: (string | null);
};
export type LogEvent = {
  type?: string;
  job_id: string;
  seq: number;
  level: "DEBUG" | "INFO" | "SUCCESS" | "WARN" | "ERROR";
  source: string;
  message: string;
  timestamp: string;
  node_id?: (string | null);
  workflow_context_id?: (string | null);
};
export type LoopProgress = {
  type?: string;
  job_id: string;
  seq: number;
  node_id: string;
  done: number;
  failed: number;
  total: (number | null);
  running: number;
};
export type MakeFlowTest = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type ManifestInfo = {
  id: string;
  name: string;
  version: string;
  author: string;
  description: string;
  type: string;
  category: string;
  tier?: string;
  requires_input?: boolean;
  input_ports: (PortInfo)[];
  output_ports: (PortInfo)[];
  properties: (PropertyInfo)[];
  ui_schema?: (Record<string, unknown>)[];
  behaviors?: (string)[];
  icon_file?: (string | null);
  config_schema: Record<string, unknown>;
  guarantee: string;
};
export type ManualApprovalRequested = {
  type?: string;
  job_id: string;
  seq: number;
  module_id: string;
  message: string;
  node_id: string;
  title: string;
  approval_id: string;
  workflow_context_id: string;
  expires_at?: (string | null);
};
export type MarketItem = {
  id: string;
  type: string;
  name: string;
  desc: string;
  price: string;
  author: string;
  author_name: (string | null);
  published_at: string;
  version: number;
  likes: number;
  dislikes: number;
};
export type MarketItemDetail = {
  id: string;
  type: string;
  name: string;
  desc: string;
  price: string;
  author: string;
  author_name: (string | null);
  published_at: string;
  version: number;
  likes: number;
  dislikes: number;
  data: unknown;
  versions: (number)[];
};
export type MarketItems = {
  items: (MarketItem)[];
};
export type Message = {
  message: string;
};
export type NamedCount = {
  name: string;
  count: number;
};
export type NewsItem = {
  id: string;
  date: string;
  title: string;
  body: string;
  url?: (string | null);
};
export type NodeData = {
  module_id: string;
  config_values?: Record<string, unknown>;
};
export type NodeExecutionMetric = {
  type?: string;
  job_id: string;
  seq: number;
  node_id: string;
  status: "RUNNING" | "SUCCESS" | "ERROR";
  timestamp: number;
  module_id: string;
  attempt?: number;
  execution_time_ms?: (number | null);
  error?: (string | null);
  retry_in_seconds?: (number | null);
};
export type NodeState = {
  node_id: string;
  name: string;
  module_id: string;
  status: NodeStatus;
  attempts: number;
  guarantee: string;
  started_at?: (number | null);
  finished_at?: (number | null);
  execution_time_ms?: (number | null);
  error?: (string | null);
  waiting?: (StepWait | null);
  answered_by?: (StepAnswer | null);
  usage?: (UsageTotals | null);
  iterations?: (number | null);
  next_at?: (number | null);
  seeded_from?: (string | null);
  pinned?: (boolean | null);
};
export type NodeStatus = "PENDING" | "RUNNING" | "RETRYING" | "WAITING" | "SUCCESS" | "ERROR" | "SKIPPED" | "CANCELLED" | "OUTCOME_UNKNOWN";
export type NodeUsage = {
  type?: string;
  job_id: string;
  seq: number;
  node_id: string;
  timestamp: number;
  attempt: number;
  kind: string;
  model: string;
  tokens_in: number;
  tokens_out: number;
  cost: string;
  currency: string;
  estimated?: boolean;
};
export type Notice = {
  id: number;
  kind: string;
  message: string;
  at: string;
};
export type OwnProfile = {
  name: (string | null);
  email: (string | null);
  address: string;
  bio: string;
  avatar: string;
};
export type PassedPayload = {
  data: unknown;
  history: (unknown)[];
};
export type PauseWorkflow = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type Payment = {
  tx_hash: string;
  chain_id: number;
  outcome: "ok" | "underpaid" | "overpaid" | "wrong_asset" | "wrong_sender" | "late" | "replayed" | "pending" | "no_quote" | "no_payment" | "failed";
  message: string;
  asset: (string | null);
  amount: (string | null);
  credited: string;
  quote_id: (string | null);
  confirmations: number;
  confirmations_needed: number;
  at: string;
};
export type PaymentBody = {
  tx_hash: string;
  chain_id?: (number | null);
};
export type PermissionInfo = {
  permission: string;
  meaning: string;
  given: boolean;
};
export type PinData = {
  job_id?: (string | null);
  request_id?: (string | null);
  preset: string;
  node_id?: (string | null);
  outputs?: (Record<string, unknown> | null);
  from_job_id?: (string | null);
  clear?: boolean;
};
export type PinsList = {
  type?: string;
  preset: string;
  pins: (StoredPin)[];
  request_id?: (string | null);
};
export type PlanItem = {
  id: string;
  name: string;
  description: string;
  limits: PlanLimits;
  prices: Record<string, string>;
};
export type PlanLimits = {
  engines: (number | null);
  shares: (number | null);
  relay_messages_per_day: (number | null);
  share_retention_days: (number | null);
};
export type PlannedStart = {
  due: number;
  rule_id: string;
  preset_name: string;
  rule_name: string;
};
export type Plans = {
  enforced: boolean;
  plans: (PlanItem)[];
  chains: (ChainItem)[];
};
export type PortInfo = {
  name: string;
  display_name: string;
  tooltip?: string;
};
export type PreferencesBody = Record<string, unknown>;
export type PreferencesChanged = {
  message: string;
  preferences: Record<string, unknown>;
};
export type PresetChange = {
  kind: "added" | "removed" | "changed";
  subject: "node" | "connection" | "setting";
  id: string;
  path: string;
  before?: unknown;
  after?: unknown;
};
export type PresetChanged = {
  type?: string;
  preset: string;
  version: (number | null);
  author_id: (string | null);
};
export type PresetCompany = {
  type?: string;
  preset: string;
  you: string;
  people: (Companion)[];
  more?: number;
  version?: (number | null);
  request_id?: (string | null);
};
export type PresetDiff = {
  type?: string;
  name: string;
  from_version: number;
  to_version: number;
  changes: (PresetChange)[];
  request_id?: (string | null);
};
export type PresetExists = {
  exists: boolean;
};
export type PresetItem = {
  id: string;
  name: string;
  version: number;
  updated_at: string;
  author_id: string;
  intact: boolean;
};
export type PresetLeft = {
  type?: string;
  preset: string;
  request_id?: (string | null);
};
export type PresetVersion = {
  version: number;
  timestamp: string;
  author_id: string;
  version_hash: string;
  previous_hash: (string | null);
  signed: boolean;
  restored_from?: (number | null);
};
export type PresetVersionItem = {
  id: string;
  version: string;
  timestamp: string;
};
export type PresetVersions = {
  type?: string;
  name: string;
  versions: (PresetVersion)[];
  intact: boolean;
  problem?: (string | null);
  request_id?: (string | null);
};
export type PresetsList = {
  type?: string;
  presets: (PresetItem)[];
  request_id?: (string | null);
};
export type PreviewExpression = {
  job_id?: (string | null);
  request_id?: (string | null);
  text: string;
  node_id?: (string | null);
  module_id?: (string | null);
  field?: (string | null);
  inputs?: (PreviewInput)[];
  results?: (PreviewResult)[];
};
export type PreviewInput = {
  node_id: string;
  port?: (string | null);
};
export type PreviewResult = {
  node_id: string;
  name?: string;
  outputs: Record<string, unknown>;
};
export type Profile = {
  user_id: string;
  email: (string | null);
  username: string;
  public_address: string;
  tier: string;
  permissions: (string)[];
  license_expires_at: (string | null);
};
export type ProfileBody = {
  name?: (string | null);
  bio?: (string | null);
  avatar?: (string | null);
};
export type ProfileChanged = {
  message: string;
  user: OwnProfile;
};
export type PropertyInfo = {
  id: string;
  type: string;
  label: string;
  description: string;
  default?: unknown;
  required?: boolean;
  options?: (PropertyOption)[];
};
export type PropertyOption = {
  label: string;
  value: string;
};
export type PublicProfile = {
  address: string;
  name: (string | null);
  bio: string;
  avatar: string;
  articles?: (unknown)[];
};
export type PublishBody = {
  type: string;
  name: string;
  desc?: string;
  price?: (string | number);
  data: unknown;
  id?: (string | null);
};
export type Published = {
  success?: boolean;
  message: string;
  id: string;
  version: number;
};
export type Quote = {
  id: string;
  plan: string;
  months: number;
  payer: string;
  recipient: string;
  amount: string;
  asset: string;
  decimals: number;
  contract: (string | null);
  chain_id: number;
  credit_used: string;
  reference: number;
  status: "open" | "paid" | "closed";
  expires_at: string;
};
export type RegisteredEngine = {
  id: string;
  name: string;
  status: "online" | "offline";
  raw_token: string;
};
export type RejectManual = {
  job_id?: (string | null);
  request_id?: (string | null);
  node_id: string;
  comment?: string;
  approval_id?: (string | null);
};
export type RemoveShareBody = {
  share_id: string;
};
export type ReplayRuns = {
  job_id?: (string | null);
  request_id?: (string | null);
  status?: "FAILED" | "STOPPED" | "SUCCEEDED";
  preset_name?: (string | null);
  after?: (number | null);
  before?: (number | null);
  error_contains?: (string | null);
  limit?: number;
  version?: ("same" | "newest" | number);
  start_from?: "start" | "failed";
  rerun_changed?: boolean;
  dry_run?: boolean;
};
export type ReplayedRun = {
  job_id: string;
  outcome: "would_start" | "started" | "exists" | "refused";
  new_job_id?: (string | null);
  kept_nodes?: number;
  reason?: (string | null);
};
export type RequestComponentsList = {
  job_id?: (string | null);
  request_id?: (string | null);
  component_type?: "modules" | "plugins" | "tools" | "triggers";
};
export type RequestConnectionHistory = {
  job_id?: (string | null);
  request_id?: (string | null);
  connection_id: string;
};
export type RequestDirectoryList = {
  job_id?: (string | null);
  request_id?: (string | null);
  path: string;
};
export type RequestDrives = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type RequestPresetsList = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type RequestSettings = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type RequestVariables = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type RerunWorkflow = {
  job_id?: (string | null);
  request_id?: (string | null);
  from_node_id?: (string | null);
  version?: ("same" | "newest" | number);
  initial_payload?: unknown;
  mode?: (RunMode | null);
  rerun_changed?: boolean;
  of_unfinished?: boolean;
  new_job_id?: (string | null);
};
export type ResolvedLink = {
  permission_level: ShareLevel;
  workflow_name: string;
  preset_name: string;
  owner_username: (string | null);
  owner_id: string;
  engine_id: string;
  online: boolean;
  expires_at: (string | null);
};
export type RestorePresetVersion = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
  version: number;
};
export type ResumeWorkflow = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type RunAcceptedAnswer = {
  status?: string;
  message: string;
  job_id: string;
};
export type RunAlarm = {
  type?: string;
  job_id: string;
  seq: number;
  kind: "late" | "stuck";
  message: string;
  timestamp: string;
};
export type RunCounts = {
  success: number;
  failed: number;
};
export type RunDetails = {
  type?: string;
  run: RunSummary;
  nodes: (NodeState)[];
  last_seq: number;
  usage?: (UsageTotals | null);
  round?: (number | null);
  rounds?: (number | null);
  at_breakpoints?: (HeldConnection)[];
  result?: unknown;
  result_bytes?: (number | null);
  request_id?: (string | null);
};
export type RunList = {
  type?: string;
  runs: (RunSummary)[];
  request_id?: (string | null);
};
export type RunMode = "EXECUTE" | "SIMULATE";
export type RunPresetBody = {
  initial_payload?: unknown;
  mode?: RunMode;
  job_id?: (string | null);
};
export type RunReplay = {
  type?: string;
  dry_run: boolean;
  matched: number;
  startable: number;
  refused: number;
  runs: (ReplayedRun)[];
  request_id?: (string | null);
};
export type RunStatus = "RUNNING" | "PAUSED" | "SUCCEEDED" | "FAILED" | "STOPPED";
export type RunSubscribed = {
  type?: string;
  job_id: string;
  from_seq: number;
  request_id?: (string | null);
};
export type RunSummary = {
  job_id: string;
  preset_name: (string | null);
  mode: RunMode;
  status: RunStatus;
  started_by: string;
  started_at: number;
  finished_at: (number | null);
  workflow_hash: string;
  error_message?: (string | null);
  origin?: string;
  parent_job_id?: (string | null);
  parent_node_id?: (string | null);
  item?: (number | null);
};
export type SavePreset = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
  workflow_data: Record<string, unknown>;
  signature: string;
  based_on?: (number | null);
};
export type SavePresetBody = {
  name: string;
  workflow_data: Record<string, unknown>;
  signature: string;
  based_on?: (number | null);
};
export type SaveSettings = {
  job_id?: (string | null);
  request_id?: (string | null);
  settings: Record<string, unknown>;
};
export type SaveTrigger = {
  job_id?: (string | null);
  request_id?: (string | null);
  rule_id?: (string | null);
  preset_name: string;
  kind: "cron" | "webhook" | "file_system" | "process" | "event_bus" | "run_finished" | "manual";
  name?: string;
  enabled?: boolean;
  config?: Record<string, unknown>;
  policy?: (TriggerPolicy | null);
  mode?: RunMode;
  payload?: unknown;
  start_node_id?: (string | null);
};
export type SchedulePreview = {
  job_id?: (string | null);
  request_id?: (string | null);
  from_ms?: (number | null);
  until_ms?: (number | null);
  limit?: number;
};
export type SchedulePreviewed = {
  type?: string;
  starts: (PlannedStart)[];
  request_id?: (string | null);
};
export type SelectForAuthBody = {
  request_id: string;
  engine_id: string;
};
export type SetBreakpoints = {
  job_id?: (string | null);
  request_id?: (string | null);
  connections: (string)[];
};
export type SettingsResponse = {
  type?: string;
  settings: Record<string, unknown>;
  request_id?: (string | null);
};
export type ShareAdded = {
  message: string;
  share_id: string;
  role: "reader" | "runner" | "admin";
  needs_grant: boolean;
  grant_text: string;
};
export type ShareEngineBody = {
  share_with_identifier?: (string | null);
  user_id?: (string | null);
  role?: ("reader" | "runner" | "admin" | null);
  grant?: (SignedWord | null);
};
export type ShareLevel = "view" | "view-run" | "view-edit-run";
export type ShareLink = {
  share_id: string;
  share_token: (string | null);
  share_url: (string | null);
  permission_level: ShareLevel;
  link_name: string;
  created_at: string;
  expires_at: (string | null);
  engine_id: string;
  grant_text: string;
  needs_grant: boolean;
};
export type SharedEngine = {
  id: string;
  name: string;
  status: "online" | "offline";
  owner: EngineOwner;
  shared_at: string;
  role: "reader" | "runner" | "admin";
};
export type SignedWord = {
  text: string;
  signature: string;
};
export type SlowPreset = {
  name: string;
  avg_duration_ms: number;
};
export type StatusData = {
  status: RunStatus;
  start_time?: (string | null);
  end_time?: (string | null);
  error_message?: (string | null);
};
export type StepAnswer = {
  address: string;
  approved: boolean;
  comment: string;
  answered_at: number;
  message: string;
  signature: string;
  signer: string;
  bound: boolean;
  payload: string;
};
export type StepRun = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type StepWait = {
  id: string;
  signal?: (string | null);
  until?: (number | null);
  title?: (string | null);
  message?: (string | null);
  event?: (string | null);
  correlation?: (string | null);
  token?: (string | null);
};
export type StopWorkflow = {
  job_id?: (string | null);
  request_id?: (string | null);
};
export type StoredPin = {
  node_id: string;
  outputs: Record<string, unknown>;
  from_job_id?: (string | null);
  pinned_by: string;
  pinned_at: number;
};
export type SubscribeRun = {
  job_id?: (string | null);
  request_id?: (string | null);
  after_seq?: number;
  include_children?: boolean;
};
export type Subscription = {
  plan: string;
  expires_at: (string | null);
  limits: PlanLimits;
  later: Record<string, unknown>;
};
export type SystemOverview = {
  kernel_version: string;
  license_tier?: string;
  is_busy: boolean;
  modules: number;
  plugins: number;
  widgets: number;
  triggers: number;
  presets: number;
  status?: string;
};
export type TriggerAlarm = {
  type?: string;
  rule_id: string;
  preset_name: string;
  rule_name: string;
  kind: "late" | "not_started";
  message: string;
  due?: (number | null);
  count?: number;
  timestamp: string;
};
export type TriggerCounts = {
  fired?: number;
  started?: number;
  dropped?: number;
  refused?: number;
  denied?: number;
  duplicate?: number;
  missed?: number;
  failed?: number;
};
export type TriggerFired = {
  type?: string;
  rule_id: string;
  outcome: "started" | "waiting" | "dropped" | "refused" | "duplicate";
  run_id: (string | null);
  request_id?: (string | null);
};
export type TriggerItem = {
  id: string;
  preset_name: string;
  kind: string;
  name: string;
  enabled: boolean;
  config: Record<string, unknown>;
  secret_set: boolean;
  policy: TriggerPolicy;
  owner: string;
  mode: RunMode;
  payload: unknown;
  node_id: (string | null);
  next_run_time: (number | null);
  last_due: (number | null);
  blocked: (string | null);
  running: number;
  waiting: number;
  counts: TriggerCounts;
  last_alarm?: (TriggerAlarm | null);
};
export type TriggerPolicy = {
  kind?: "parallel" | "single" | "restart" | "queue" | "debounce";
  limit?: number;
  seconds?: number;
  key?: string;
  queue_limit?: number;
};
export type TriggerSaved = {
  type?: string;
  rule: TriggerItem;
  request_id?: (string | null);
};
export type TriggersList = {
  type?: string;
  rules: (TriggerItem)[];
  request_id?: (string | null);
};
export type UninstallComponent = {
  job_id?: (string | null);
  request_id?: (string | null);
  component_type?: "modules" | "plugins" | "tools" | "triggers";
  component_id: string;
  version?: (string | null);
};
export type UpdateVariable = {
  job_id?: (string | null);
  request_id?: (string | null);
  name: string;
  data: VariableData;
};
export type Usage = {
  days: (UsageDay)[];
  used: Record<string, number>;
  limits: PlanLimits;
};
export type UsageCount = {
  used: number;
};
export type UsageDay = {
  day: string;
  relay_messages: number;
  runs_started: number;
  engine_days: number;
  engines: (UsageItem)[];
};
export type UsageItem = {
  engine_id: string;
  relay_messages: number;
  runs_started: number;
  engine_days: number;
};
export type UsageTotals = {
  calls: number;
  tokens_in: number;
  tokens_out: number;
  cost?: Record<string, string>;
  estimated?: boolean;
};
export type ValidateWorkflow = {
  job_id?: (string | null);
  request_id?: (string | null);
  workflow_data: Record<string, unknown>;
};
export type Variable = {
  name: string;
  value: unknown;
  is_secret: boolean;
  is_enabled: boolean;
  mode: "single" | "random" | "sequential";
  is_protected?: boolean;
};
export type VariableBody = {
  value: unknown;
  is_secret?: boolean;
  is_enabled?: boolean;
  mode?: "single" | "random" | "sequential";
};
export type VariableData = {
  value?: unknown;
  is_secret?: boolean;
  is_enabled?: boolean;
  mode?: "single" | "random" | "sequential";
};
export type VariableStateBody = {
  enabled: boolean;
};
export type VariablesList = {
  type?: string;
  variables: (Variable)[];
  request_id?: (string | null);
};
export type VoteBody = {
  itemId: string;
  voteType: 1 | -1 | 0;
};
export type Voted = {
  success?: boolean;
  message: string;
  newVoteStatus: 1 | -1 | 0;
};
export type WatchPreset = {
  job_id?: (string | null);
  request_id?: (string | null);
  preset: string;
  selected?: (string)[];
  seat?: (string | null);
};
export type WorkflowProblem = {
  problem: string;
  node_id?: (string | null);
  connection_id?: (string | null);
  field?: (string | null);
};
export type WorkflowStatusUpdate = {
  type?: string;
  job_id: string;
  seq: number;
  status_data: StatusData;
  request_id?: (string | null);
};
export type WorkflowValidation = {
  type?: string;
  valid: boolean;
  problems: (WorkflowProblem)[];
  request_id?: (string | null);
};

export interface Commands {
  approve_manual: { request: ApproveManual; reply: RunDetails; role: "runner" };
  continue_run: { request: ContinueRun; reply: RunDetails; role: "runner" };
  delete_preset: { request: DeletePreset; reply: PresetsList; role: "admin" };
  delete_trigger: { request: DeleteTrigger; reply: TriggersList; role: "admin" };
  delete_variable: { request: DeleteVariable; reply: VariablesList; role: "admin" };
  diff_preset_versions: { request: DiffPresetVersions; reply: PresetDiff; role: "reader" };
  disable_trigger: { request: DisableTrigger; reply: TriggerSaved; role: "admin" };
  enable_trigger: { request: EnableTrigger; reply: TriggerSaved; role: "admin" };
  execute_standalone_node: { request: ExecuteStandaloneNode; reply: WorkflowStatusUpdate; role: "admin" };
  execute_workflow: { request: ExecuteWorkflow; reply: WorkflowStatusUpdate; role: "runner" };
  fire_trigger: { request: FireTrigger; reply: TriggerFired; role: "runner" };
  get_run: { request: GetRun; reply: RunDetails; role: "reader" };
  inspect_component: { request: InspectComponent; reply: ComponentInspection; role: "admin" };
  install_component: { request: InstallComponent; reply: ComponentInstallStatus; role: "admin" };
  leave_preset: { request: LeavePreset; reply: PresetLeft; role: "reader" };
  list_pins: { request: ListPins; reply: PinsList; role: "admin" };
  list_preset_versions: { request: ListPresetVersions; reply: PresetVersions; role: "reader" };
  list_runs: { request: ListRuns; reply: RunList; role: "reader" };
  list_triggers: { request: ListTriggers; reply: TriggersList; role: "reader" };
  load_preset: { request: LoadPreset; reply: LoadedPreset; role: "reader" };
  make_flow_test: { request: MakeFlowTest; reply: FlowTestMade; role: "reader" };
  pause_workflow: { request: PauseWorkflow; reply: WorkflowStatusUpdate; role: "runner" };
  pin_data: { request: PinData; reply: PinsList; role: "admin" };
  preview_expression: { request: PreviewExpression; reply: ExpressionPreview; role: "reader" };
  reject_manual: { request: RejectManual; reply: RunDetails; role: "runner" };
  replay_runs: { request: ReplayRuns; reply: RunReplay; role: "admin" };
  request_components_list: { request: RequestComponentsList; reply: ComponentsList; role: "reader" };
  request_connection_history: { request: RequestConnectionHistory; reply: ConnectionHistory; role: "reader" };
  request_directory_list: { request: RequestDirectoryList; reply: DirectoryList; role: "runner" };
  request_drives: { request: RequestDrives; reply: DrivesList; role: "runner" };
  request_presets_list: { request: RequestPresetsList; reply: PresetsList; role: "reader" };
  request_settings: { request: RequestSettings; reply: SettingsResponse; role: "reader" };
  request_variables: { request: RequestVariables; reply: VariablesList; role: "reader" };
  rerun: { request: RerunWorkflow; reply: WorkflowStatusUpdate; role: "runner" };
  restore_preset_version: { request: RestorePresetVersion; reply: LoadedPreset; role: "admin" };
  resume_workflow: { request: ResumeWorkflow; reply: WorkflowStatusUpdate; role: "runner" };
  save_preset: { request: SavePreset; reply: PresetsList; role: "admin" };
  save_settings: { request: SaveSettings; reply: SettingsResponse; role: "admin" };
  save_trigger: { request: SaveTrigger; reply: TriggerSaved; role: "admin" };
  schedule_preview: { request: SchedulePreview; reply: SchedulePreviewed; role: "reader" };
  set_breakpoints: { request: SetBreakpoints; reply: RunDetails; role: "runner" };
  step_run: { request: StepRun; reply: RunDetails; role: "runner" };
  stop_workflow: { request: StopWorkflow; reply: WorkflowStatusUpdate; role: "runner" };
  subscribe_run: { request: SubscribeRun; reply: RunSubscribed; role: "reader" };
  uninstall_component: { request: UninstallComponent; reply: ComponentInstallStatus; role: "admin" };
  update_variable: { request: UpdateVariable; reply: VariablesList; role: "admin" };
  validate_workflow: { request: ValidateWorkflow; reply: WorkflowValidation; role: "reader" };
  watch_preset: { request: WatchPreset; reply: PresetCompany; role: "reader" };
}

export interface Events {
  "BREAKPOINT_HIT": BreakpointHit;
  "CONNECTION_STATUS_UPDATE": ConnectionStatusUpdate;
  "LOOP_PROGRESS": LoopProgress;
  "MANUAL_APPROVAL_REQUESTED": ManualApprovalRequested;
  "NODE_EXECUTION_METRIC": NodeExecutionMetric;
  "NODE_USAGE": NodeUsage;
  "PRESET_CHANGED": PresetChanged;
  "PRESET_COMPANY": PresetCompany;
  "RUN_ALARM": RunAlarm;
  "SHOW_DEBUG_POPUP": DebugPopup;
  "TRIGGER_ALARM": TriggerAlarm;
  "component_inspection_response": ComponentInspection;
  "component_install_status": ComponentInstallStatus;
  "components_list_response": ComponentsList;
  "connection_history_response": ConnectionHistory;
  "directory_list_response": DirectoryList;
  "drives_list_response": DrivesList;
  "engine_status_update": EngineVitals;
  "error": ErrorEvent;
  "expression_preview_response": ExpressionPreview;
  "flow_test_response": FlowTestMade;
  "load_preset_response": LoadedPreset;
  "log": LogEvent;
  "pins_response": PinsList;
  "preset_diff_response": PresetDiff;
  "preset_left": PresetLeft;
  "preset_versions_response": PresetVersions;
  "presets_list_response": PresetsList;
  "run_replay_response": RunReplay;
  "run_response": RunDetails;
  "run_subscribed": RunSubscribed;
  "runs_list_response": RunList;
  "schedule_preview_response": SchedulePreviewed;
  "settings_response": SettingsResponse;
  "trigger_fired": TriggerFired;
  "trigger_response": TriggerSaved;
  "triggers_list_response": TriggersList;
  "variables_response": VariablesList;
  "workflow_status_update": WorkflowStatusUpdate;
  "workflow_validation_response": WorkflowValidation;
}

export interface Operations {
  add_share: { path: { engine_id: string }; body: ShareEngineBody; response: ShareAdded };
  admin_disabled_components: { path: undefined; body: undefined; response: (DisabledComponent)[] };
  admin_plans: { path: undefined; body: undefined; response: (AdminPlan)[] };
  admin_users: { path: undefined; body: undefined; response: AdminUsers };
  change_share_link: { path: { share_id: string }; body: ChangeLinkBody; response: ChangedLink };
  checkout: { path: undefined; body: CheckoutBody; response: Quote };
  claim_engine: { path: undefined; body: ClaimBody; response: ClaimedEngine };
  claim_token: { path: undefined; body: undefined; response: ClaimedToken };
  clear_cache: { path: undefined; body: undefined; response: CacheCleared };
  component_icon: { path: { kind: string; component_id: string }; body: undefined; response: Blob };
  create_share_link: { path: { preset: string }; body: CreateLinkBody; response: CreatedLink };
  dashboard_summary: { path: undefined; body: undefined; response: DashboardSummary };
  delete_account: { path: undefined; body: DeleteAccountBody; response: AccountDeleted };
  delete_engine: { path: { engine_id: string }; body: undefined; response: Message };
  delete_item: { path: undefined; body: DeleteItemBody; response: ItemDeleted };
  delete_preset: { path: { preset: string }; body: undefined; response: null };
  delete_share: { path: { engine_id: string }; body: RemoveShareBody; response: Message };
  delete_share_link: { path: { share_id: string }; body: undefined; response: DeletedLink };
  delete_variable: { path: { variable: string }; body: undefined; response: null };
  disable_component: { path: { component_id: string }; body: DisableBody; response: Done };
  disabled_components: { path: undefined; body: undefined; response: (string)[] };
  download_invoice: { path: { number: string }; body: undefined; response: Blob };
  enable_component: { path: { component_id: string }; body: undefined; response: Done };
  engine_auth_info: { path: undefined; body: undefined; response: ((string)[] | EngineGuests) };
  export_audit: { path: undefined; body: undefined; response: string };
  forward_delete: { path: { path: string }; body: undefined; response: unknown };
  forward_get: { path: { path: string }; body: undefined; response: unknown };
  forward_patch: { path: { path: string }; body: undefined; response: unknown };
  forward_post: { path: { path: string }; body: undefined; response: unknown };
  forward_put: { path: { path: string }; body: undefined; response: unknown };
  get_active_widgets: { path: undefined; body: undefined; response: (Record<string, unknown>)[] };
  get_component: { path: { kind: string; component_id: string }; body: undefined; response: ComponentInfo };
  get_credits: { path: undefined; body: undefined; response: Credits };
  get_favorite_components: { path: undefined; body: undefined; response: (string)[] };
  get_favorite_presets: { path: undefined; body: undefined; response: (string)[] };
  get_item: { path: { item_id: string }; body: undefined; response: MarketItemDetail };
  get_plans: { path: undefined; body: undefined; response: Plans };
  get_preferences: { path: undefined; body: undefined; response: Record<string, unknown> };
  get_preset: { path: { preset: string }; body: undefined; response: Record<string, unknown> };
  get_profile: { path: undefined; body: undefined; response: Profile };
  get_settings: { path: undefined; body: undefined; response: Record<string, unknown> };
  get_subscription: { path: undefined; body: undefined; response: Subscription };
  get_usage: { path: undefined; body: undefined; response: Usage };
  get_variable: { path: { variable: string }; body: undefined; response: Variable };
  grant_plan: { path: { address: string }; body: GrantPlanBody; response: Subscription };
  health: { path: undefined; body: undefined; response: Health };
  install_marketplace_component: { path: undefined; body: InstallBody; response: ItemDeleted };
  list_audit: { path: undefined; body: undefined; response: AuditPage };
  list_drives: { path: undefined; body: undefined; response: (DriveItem)[] };
  list_engine_shares: { path: { engine_id: string }; body: undefined; response: (EngineShare)[] };
  list_engines: { path: undefined; body: undefined; response: (Engine)[] };
  list_folder: { path: undefined; body: undefined; response: DirectoryList };
  list_invoices: { path: undefined; body: undefined; response: (Invoice)[] };
  list_items: { path: undefined; body: undefined; response: ((MarketItem)[] | MarketItems) };
  list_modules: { path: undefined; body: undefined; response: (ComponentInfo)[] };
  list_notices: { path: undefined; body: undefined; response: (Notice)[] };
  list_payments: { path: undefined; body: undefined; response: (Payment)[] };
  list_plugins: { path: undefined; body: undefined; response: (ComponentInfo)[] };
  list_presets: { path: undefined; body: undefined; response: (PresetItem)[] };
  list_share_links: { path: { preset: string }; body: undefined; response: (ShareLink)[] };
  list_shared_engines: { path: undefined; body: undefined; response: (SharedEngine)[] };
  list_shares: { path: { engine_id: string }; body: undefined; response: (EngineShare)[] };
  list_tools: { path: undefined; body: undefined; response: (ComponentInfo)[] };
  list_triggers: { path: undefined; body: undefined; response: (ComponentInfo)[] };
  list_variables: { path: undefined; body: undefined; response: (Variable)[] };
  list_widgets: { path: undefined; body: undefined; response: (ComponentInfo)[] };
  live_stats: { path: undefined; body: undefined; response: LiveStats };
  localization: { path: { language: string }; body: undefined; response: Record<string, string> };
  login: { path: undefined; body: undefined; response: Message };
  logout: { path: undefined; body: undefined; response: Message };
  news: { path: undefined; body: undefined; response: (NewsItem)[] };
  patch_preferences: { path: undefined; body: PreferencesBody; response: PreferencesChanged };
  patch_profile: { path: undefined; body: ProfileBody; response: ProfileChanged };
  patch_settings: { path: undefined; body: PreferencesBody; response: Record<string, unknown> };
  pause_run: { path: { job_id: string }; body: undefined; response: WorkflowStatusUpdate };
  preset_exists: { path: { preset: string }; body: undefined; response: PresetExists };
  preset_version: { path: { preset: string; version: string }; body: undefined; response: Record<string, unknown> };
  preset_versions: { path: { preset: string }; body: undefined; response: (PresetVersionItem)[] };
  public_profile: { path: { identifier: string }; body: undefined; response: PublicProfile };
  publish_item: { path: undefined; body: PublishBody; response: Published };
  put_active_widgets: { path: undefined; body: (Record<string, unknown>)[]; response: Done };
  put_favorite_components: { path: undefined; body: (string)[]; response: Done };
  put_favorite_presets: { path: undefined; body: (string)[]; response: Done };
  put_profile: { path: undefined; body: ProfileBody; response: ProfileChanged };
  put_variable: { path: { variable: string }; body: VariableBody; response: Done };
  register: { path: undefined; body: undefined; response: Message };
  register_engine: { path: undefined; body: EngineNameBody; response: RegisteredEngine };
  remove_share: { path: { engine_id: string; share_id: string }; body: undefined; response: Message };
  reset_engine_token: { path: { engine_id: string }; body: undefined; response: EngineToken };
  resolve_share_link: { path: { token: string }; body: undefined; response: ResolvedLink };
  resume_run: { path: { job_id: string }; body: undefined; response: WorkflowStatusUpdate };
  run_history: { path: { job_id: string; connection_id: string }; body: undefined; response: ConnectionHistory };
  run_preset: { path: { preset: string }; body: RunPresetBody; response: RunAcceptedAnswer };
  run_status: { path: { job_id: string }; body: undefined; response: RunDetails };
  save_preset: { path: undefined; body: SavePresetBody; response: Done };
  select_for_auth: { path: undefined; body: SelectForAuthBody; response: Done };
  share_engine: { path: { engine_id: string }; body: ShareEngineBody; response: ShareAdded };
  stop_run: { path: { job_id: string }; body: undefined; response: WorkflowStatusUpdate };
  submit_payment: { path: undefined; body: PaymentBody; response: Payment };
  switch_variable: { path: { variable: string }; body: VariableStateBody; response: Done };
  unshare_engine: { path: { engine_id: string; share_id: string }; body: undefined; response: Message };
  update_engine_name: { path: { engine_id: string }; body: EngineNameBody; response: Message };
  vote: { path: undefined; body: VoteBody; response: Voted };
}

export const REPLIES = {
  approve_manual: "run_response",
  continue_run: "run_response",
  delete_preset: "presets_list_response",
  delete_trigger: "triggers_list_response",
  delete_variable: "variables_response",
  diff_preset_versions: "preset_diff_response",
  disable_trigger: "trigger_response",
  enable_trigger: "trigger_response",
  execute_standalone_node: "workflow_status_update",
  execute_workflow: "workflow_status_update",
  fire_trigger: "trigger_fired",
  get_run: "run_response",
  inspect_component: "component_inspection_response",
  install_component: "component_install_status",
  leave_preset: "preset_left",
  list_pins: "pins_response",
  list_preset_versions: "preset_versions_response",
  list_runs: "runs_list_response",
  list_triggers: "triggers_list_response",
  load_preset: "load_preset_response",
  make_flow_test: "flow_test_response",
  pause_workflow: "workflow_status_update",
  pin_data: "pins_response",
  preview_expression: "expression_preview_response",
  reject_manual: "run_response",
  replay_runs: "run_replay_response",
  request_components_list: "components_list_response",
  request_connection_history: "connection_history_response",
  request_directory_list: "directory_list_response",
  request_drives: "drives_list_response",
  request_presets_list: "presets_list_response",
  request_settings: "settings_response",
  request_variables: "variables_response",
  rerun: "workflow_status_update",
  restore_preset_version: "load_preset_response",
  resume_workflow: "workflow_status_update",
  save_preset: "presets_list_response",
  save_settings: "settings_response",
  save_trigger: "trigger_response",
  schedule_preview: "schedule_preview_response",
  set_breakpoints: "run_response",
  step_run: "run_response",
  stop_workflow: "workflow_status_update",
  subscribe_run: "run_subscribed",
  uninstall_component: "component_install_status",
  update_variable: "variables_response",
  validate_workflow: "workflow_validation_response",
  watch_preset: "PRESET_COMPANY",
} as const;

export const RELAYED: Record<string, keyof Events> = {
  "BREAKPOINT_HIT": "BREAKPOINT_HIT",
  "CONNECTION_DATA_RESPONSE": "connection_history_response",
  "CONNECTION_UPDATE": "CONNECTION_STATUS_UPDATE",
  "FILESYSTEM_LIST_RESPONSE": "directory_list_response",
  "LOOP_PROGRESS": "LOOP_PROGRESS",
  "MANUAL_APPROVAL_REQUESTED": "MANUAL_APPROVAL_REQUESTED",
  "NODE_METRIC_UPDATE": "NODE_EXECUTION_METRIC",
  "NODE_USAGE": "NODE_USAGE",
  "PRESET_CHANGED": "PRESET_CHANGED",
  "PRESET_COMPANY": "PRESET_COMPANY",
  "RUN_ALARM": "RUN_ALARM",
  "SHOW_DEBUG_POPUP": "SHOW_DEBUG_POPUP",
  "TRIGGER_ALARM": "TRIGGER_ALARM",
  "WORKFLOW_EXECUTION_UPDATE": "workflow_status_update",
  "WORKFLOW_LOG_ENTRY": "log",
  "component_inspection_response": "component_inspection_response",
  "component_install_status": "component_install_status",
  "engine_vitals_update": "engine_status_update",
  "error": "error",
  "expression_preview_response": "expression_preview_response",
  "flow_test_response": "flow_test_response",
  "pins_response": "pins_response",
  "preset_diff_response": "preset_diff_response",
  "preset_left": "preset_left",
  "preset_versions_response": "preset_versions_response",
  "response_component_list": "components_list_response",
  "response_load_preset": "load_preset_response",
  "response_presets_list": "presets_list_response",
  "response_variables": "variables_response",
  "run_replay_response": "run_replay_response",
  "run_response": "run_response",
  "run_subscribed": "run_subscribed",
  "runs_list_response": "runs_list_response",
  "schedule_preview_response": "schedule_preview_response",
  "settings_response": "settings_response",
  "trigger_fired": "trigger_fired",
  "trigger_response": "trigger_response",
  "triggers_list_response": "triggers_list_response",
  "workflow_validation_response": "workflow_validation_response",
};

export const OPERATIONS = {
  add_share: { method: "POST", path: "/engines/{engine_id}/shares", auth: "wallet", session: false },
  admin_disabled_components: { method: "GET", path: "/admin/disabled-components", auth: "wallet", session: false },
  admin_plans: { method: "GET", path: "/admin/plans", auth: "wallet", session: false },
  admin_users: { method: "GET", path: "/admin/users", auth: "wallet", session: false },
  change_share_link: { method: "PUT", path: "/workflow-shares/{share_id}", auth: "wallet", session: true },
  checkout: { method: "POST", path: "/billing/checkout", auth: "wallet", session: false },
  claim_engine: { method: "POST", path: "/user/engines/claim", auth: "wallet", session: false },
  claim_token: { method: "GET", path: "/engine/claim-token", auth: "service", session: false },
  clear_cache: { method: "POST", path: "/system/clear-cache", auth: "wallet", session: false },
  component_icon: { method: "GET", path: "/components/{kind}/{component_id}/icon", auth: "none", session: false },
  create_share_link: { method: "POST", path: "/workflows/{preset}/shares", auth: "wallet", session: true },
  dashboard_summary: { method: "GET", path: "/dashboard/summary", auth: "wallet", session: true },
  delete_account: { method: "DELETE", path: "/user/account", auth: "wallet", session: false },
  delete_engine: { method: "DELETE", path: "/user/engines/{engine_id}", auth: "wallet", session: false },
  delete_item: { method: "POST", path: "/marketplace/delete", auth: "wallet", session: false },
  delete_preset: { method: "DELETE", path: "/presets/{preset}", auth: "wallet", session: false },
  delete_share: { method: "POST", path: "/user/engines/{engine_id}/shares/delete", auth: "wallet", session: false },
  delete_share_link: { method: "DELETE", path: "/workflow-shares/{share_id}", auth: "wallet", session: true },
  delete_variable: { method: "DELETE", path: "/variables/{variable}", auth: "wallet", session: false },
  disable_component: { method: "PUT", path: "/admin/disabled-components/{component_id}", auth: "wallet", session: false },
  disabled_components: { method: "GET", path: "/system/disabled-components", auth: "machine", session: false },
  download_invoice: { method: "GET", path: "/billing/invoices/{number}/pdf", auth: "wallet", session: true },
  enable_component: { method: "DELETE", path: "/admin/disabled-components/{component_id}", auth: "wallet", session: false },
  engine_auth_info: { method: "GET", path: "/engine/get-engine-auth-info", auth: "engine", session: false },
  export_audit: { method: "GET", path: "/audit/export", auth: "wallet", session: true },
  forward_delete: { method: "DELETE", path: "/proxy/{path}", auth: "wallet", session: false },
  forward_get: { method: "GET", path: "/proxy/{path}", auth: "wallet", session: true },
  forward_patch: { method: "PATCH", path: "/proxy/{path}", auth: "wallet", session: false },
  forward_post: { method: "POST", path: "/proxy/{path}", auth: "wallet", session: false },
  forward_put: { method: "PUT", path: "/proxy/{path}", auth: "wallet", session: false },
  get_active_widgets: { method: "GET", path: "/user/state/active_widgets", auth: "wallet", session: true },
  get_component: { method: "GET", path: "/components/{kind}/{component_id}", auth: "wallet", session: true },
  get_credits: { method: "GET", path: "/billing/credits", auth: "wallet", session: true },
  get_favorite_components: { method: "GET", path: "/user/state/favorite_components", auth: "wallet", session: true },
  get_favorite_presets: { method: "GET", path: "/user/state/favorite_presets", auth: "wallet", session: true },
  get_item: { method: "GET", path: "/marketplace/items/{item_id}", auth: "none", session: false },
  get_plans: { method: "GET", path: "/billing/plans", auth: "none", session: false },
  get_preferences: { method: "GET", path: "/user/preferences", auth: "wallet", session: true },
  get_preset: { method: "GET", path: "/presets/{preset}", auth: "wallet", session: true },
  get_profile: { method: "GET", path: "/auth/profile", auth: "wallet", session: true },
  get_settings: { method: "GET", path: "/settings", auth: "wallet", session: true },
  get_subscription: { method: "GET", path: "/billing/subscription", auth: "wallet", session: true },
  get_usage: { method: "GET", path: "/billing/usage", auth: "wallet", session: true },
  get_variable: { method: "GET", path: "/variables/{variable}", auth: "wallet", session: true },
  grant_plan: { method: "PUT", path: "/admin/users/{address}/plan", auth: "wallet", session: false },
  health: { method: "GET", path: "/system/health", auth: "none", session: false },
  install_marketplace_component: { method: "POST", path: "/marketplace/component/install", auth: "wallet", session: false },
  list_audit: { method: "GET", path: "/audit", auth: "wallet", session: true },
  list_drives: { method: "GET", path: "/filesystem/drives", auth: "wallet", session: true },
  list_engine_shares: { method: "GET", path: "/user/engines/{engine_id}/shares", auth: "wallet", session: true },
  list_engines: { method: "GET", path: "/user/engines", auth: "wallet", session: true },
  list_folder: { method: "GET", path: "/filesystem/list", auth: "wallet", session: true },
  list_invoices: { method: "GET", path: "/billing/invoices", auth: "wallet", session: true },
  list_items: { method: "GET", path: "/marketplace/list", auth: "none", session: false },
  list_modules: { method: "GET", path: "/modules", auth: "wallet", session: true },
  list_notices: { method: "GET", path: "/billing/notices", auth: "wallet", session: true },
  list_payments: { method: "GET", path: "/billing/payments", auth: "wallet", session: true },
  list_plugins: { method: "GET", path: "/plugins", auth: "wallet", session: true },
  list_presets: { method: "GET", path: "/presets", auth: "wallet", session: true },
  list_share_links: { method: "GET", path: "/workflows/{preset}/shares", auth: "wallet", session: true },
  list_shared_engines: { method: "GET", path: "/user/shared-engines", auth: "wallet", session: true },
  list_shares: { method: "GET", path: "/engines/{engine_id}/shares", auth: "wallet", session: true },
  list_tools: { method: "GET", path: "/tools", auth: "wallet", session: true },
  list_triggers: { method: "GET", path: "/triggers", auth: "wallet", session: true },
  list_variables: { method: "GET", path: "/variables", auth: "wallet", session: true },
  list_widgets: { method: "GET", path: "/widgets", auth: "wallet", session: true },
  live_stats: { method: "GET", path: "/engine/live-stats", auth: "wallet", session: true },
  localization: { method: "GET", path: "/localization/{language}", auth: "none", session: false },
  login: { method: "POST", path: "/auth/login", auth: "none", session: false },
  logout: { method: "POST", path: "/auth/logout", auth: "wallet", session: true },
  news: { method: "GET", path: "/news", auth: "none", session: false },
  patch_preferences: { method: "PATCH", path: "/user/preferences", auth: "wallet", session: true },
  patch_profile: { method: "PATCH", path: "/user/profile", auth: "wallet", session: false },
  patch_settings: { method: "PATCH", path: "/settings", auth: "wallet", session: false },
  pause_run: { method: "POST", path: "/workflow/pause/{job_id}", auth: "wallet", session: true },
  preset_exists: { method: "GET", path: "/presets/{preset}/exists", auth: "wallet", session: true },
  preset_version: { method: "GET", path: "/presets/{preset}/versions/{version}", auth: "wallet", session: true },
  preset_versions: { method: "GET", path: "/presets/{preset}/versions", auth: "wallet", session: true },
  public_profile: { method: "GET", path: "/user/public/{identifier}", auth: "none", session: false },
  publish_item: { method: "POST", path: "/marketplace/publish", auth: "wallet", session: false },
  put_active_widgets: { method: "PUT", path: "/user/state/active_widgets", auth: "wallet", session: true },
  put_favorite_components: { method: "PUT", path: "/user/state/favorite_components", auth: "wallet", session: true },
  put_favorite_presets: { method: "PUT", path: "/user/state/favorite_presets", auth: "wallet", session: true },
  put_profile: { method: "PUT", path: "/user/profile", auth: "wallet", session: false },
  put_variable: { method: "PUT", path: "/variables/{variable}", auth: "wallet", session: false },
  register: { method: "POST", path: "/auth/register", auth: "none", session: false },
  register_engine: { method: "POST", path: "/user/engines", auth: "wallet", session: false },
  remove_share: { method: "DELETE", path: "/engines/{engine_id}/shares/{share_id}", auth: "wallet", session: false },
  reset_engine_token: { method: "POST", path: "/user/engines/{engine_id}/reset-token", auth: "wallet", session: false },
  resolve_share_link: { method: "GET", path: "/workflow-shares/resolve/{token}", auth: "none", session: false },
  resume_run: { method: "POST", path: "/workflow/resume/{job_id}", auth: "wallet", session: true },
  run_history: { method: "GET", path: "/workflow/history/{job_id}/{connection_id}", auth: "wallet", session: true },
  run_preset: { method: "POST", path: "/workflow/execute/{preset}", auth: "wallet", session: true },
  run_status: { method: "GET", path: "/workflow/status/{job_id}", auth: "wallet", session: true },
  save_preset: { method: "POST", path: "/presets", auth: "wallet", session: false },
  select_for_auth: { method: "POST", path: "/user/engines/select-for-auth", auth: "wallet", session: false },
  share_engine: { method: "POST", path: "/user/engines/{engine_id}/share", auth: "wallet", session: false },
  stop_run: { method: "POST", path: "/workflow/stop/{job_id}", auth: "wallet", session: true },
  submit_payment: { method: "POST", path: "/billing/payments", auth: "wallet", session: false },
  switch_variable: { method: "PATCH", path: "/variables/{variable}/state", auth: "wallet", session: false },
  unshare_engine: { method: "DELETE", path: "/user/engines/{engine_id}/shares/{share_id}", auth: "wallet", session: false },
  update_engine_name: { method: "PUT", path: "/user/engines/{engine_id}/update-name", auth: "wallet", session: false },
  vote: { method: "POST", path: "/marketplace/vote", auth: "wallet", session: true },
} as const;

/** What a session key may not send: the wallet itself is asked. */
export const WALLET_COMMANDS: ReadonlySet<string> = new Set([
  "delete_preset",
  "delete_trigger",
  "delete_variable",
  "install_component",
  "save_trigger",
  "uninstall_component",
  "update_variable",
]);
