-- Health of an object of sagemaker.aws.amazon.com for Argo CD, from its conditions (docs/design/modern-expectations.md 2).
local status = obj.status or {}
local said = {}
for _, condition in ipairs(status.conditions or {}) do
  said[condition.type] = condition
end

local function is_true(kind)
  return said[kind] ~= nil and said[kind].status == "True"
end

local function health(value, kind, fallback)
  local text = said[kind] and said[kind].message or ""
  if text == "" then
    text = fallback
  end
  return { status = value, message = text }
end

if status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", nil, "the operator has not seen this version yet")
elseif is_true("Stalled") then
  return health("Degraded", "Stalled", "only a change of the object can help")
elseif is_true("Ready") then
  return health("Healthy", "Ready", said.Ready.reason)
elseif said.Reconciling ~= nil and said.Reconciling.reason == "Paused" then
  return health("Suspended", "Ready", "paused by annotation")
end
return health("Progressing", "Reconciling", said.Reconciling and said.Reconciling.reason or "in progress")
