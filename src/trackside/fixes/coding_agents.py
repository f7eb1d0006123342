"""Fixes for coding agents and the services of models: keys, limits, models, turns, tools, networks that are closed."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_NOT_TESTS: Final = ("test", "lint", "build")

_KEYS: Final = (
    fix(
        "anthropic-key-missing",
        "The agent has no key for Anthropic",
        "Set the secret ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN and hand it to the action "
        "(`anthropic_api_key`, `claude_code_oauth_token`). Runs of forks and of Dependabot get no secrets.",
        r"(?i)Either ANTHROPIC_API_KEY or|ANTHROPIC_API_KEY\b.{0,60}(?:(?:not |un)set|required|missing|empty)"
        r"|CLAUDE_CODE_OAUTH_TOKEN\b.{0,60}(?:(?:not |un)set|required|missing|empty)"
        r"|Input required and not supplied: anthropic_api_key|Invalid API key · Please run /login"
        r"|Could not resolve authentication method\. Expected",
    ),
    fix(
        "openai-key-missing",
        "The agent has no key for OpenAI",
        "Set the secret OPENAI_API_KEY and hand it to the action (`openai-api-key`) or to the step under `env`. Runs "
        "of forks and of Dependabot get no secrets.",
        r"(?i)OPENAI_API_KEY\b.{0,80}(?:(?:not |un)set|required|missing|empty)|The api_key client option must be set"
        r"|Input required and not supplied: openai-api-key|CODEX_API_KEY or OPENAI_API_KEY",
    ),
    fix(
        "gemini-key-missing",
        "The agent has no key for Gemini",
        "Set the secret GEMINI_API_KEY and hand it to the action (`gemini_api_key`), or set up Workload Identity "
        "Federation for Vertex AI. Runs of forks and of Dependabot get no secrets.",
        r"(?i)(?:GEMINI|GOOGLE)_API_KEY\b.{0,80}(?:(?:not |un)set|required|missing|empty)"
        r"|Please set an Auth method|No authentication method provided.{0,80}gemini_api_key",
    ),
    fix(
        "copilot-token-missing",
        "The agent has no token for Copilot",
        "Set the secret COPILOT_GITHUB_TOKEN to a fine-grained personal token with the permission Copilot Requests; "
        "the run's own token is not taken.",
        r"(?i)COPILOT_(?:GITHUB|CLI)_TOKEN\b.{0,80}(?:(?:not |un)set|required|missing|empty)"
        r"|No authentication information found",
    ),
    fix(
        "model-key-refused",
        "The service of the model does not take the key",
        "The key was revoked, is of another organization or project, or the secret holds a space or newline. Make a "
        "new one and set the secret again.",
        r"(?i)invalid x-api-key|\bauthentication_error\b|Incorrect API key provided|\binvalid_api_key\b"
        r"|API key not valid\. Please pass a valid API key|API_KEY_INVALID|OAuth token (?:has expired|revoked)"
        r"|Invalid bearer token",
        not_for=_NOT_TESTS,
    ),
    fix(
        "model-credit",
        "The account of the model has no credit left",
        "Add credit or raise the spending limit of the key's account; trying again does not help.",
        r"(?i)credit balance is too low|\binsufficient_quota\b|exceeded your current quota, please check your plan"
        r"|Check your plan and billing details|\bbilling_hard_limit_reached\b|spending limit (?:has been )?reached",
        not_for=_NOT_TESTS,
    ),
    fix(
        "model-usage-limit",
        "The subscription's usage limit is reached",
        "Wait until the limit is reset, run agents less often or one at a time (`concurrency`), or use a key that is "
        "billed by use.",
        r"(?i)Claude (?:AI )?usage limit reached|You've (?:hit|reached) your (?:usage|session|weekly) limit"
        r"|usage_limit_reached|premium requests? .{0,60}(?:exceeded|limit|used up)",
        not_for=_NOT_TESTS,
    ),
)

_MODELS: Final = (
    fix(
        "model-overloaded",
        "The service of the model is overloaded",
        "Run the job again later, with a few tries further and further apart, or name another model to fall back on.",
        r"(?i)\boverloaded_error\b|\b529\b.{0,80}overloaded|The model is (?:currently )?overloaded"
        r"|engine is currently overloaded|503 .{0,40}UNAVAILABLE.{0,80}model",
        not_for=_NOT_TESTS,
    ),
    fix(
        "model-rate-limit",
        "The model was asked too often or too much",
        "Let fewer agents run at once (`concurrency`, `max-parallel`), wait as long as the answer says before another "
        "try, or raise the limit of the key's tier.",
        r"(?i)\brate_limit_error\b|Rate limit reached for [\w.-]+|RESOURCE_EXHAUSTED.{0,200}(?:quota|rate)"
        r"|Quota exceeded for quota metric|(?:anthropic|openai)\.RateLimitError"
        r"|would exceed .{0,60}rate limit of [\d,]+ (?:input|output)? ?tokens",
        not_for=_NOT_TESTS,
    ),
    fix(
        "model-not-found",
        "The model does not exist, or the key may not use it",
        "Write the model's full name as the provider lists it, and see that the key's project has it. Models that were "
        "retired need a newer name.",
        r"(?i)not_found_error\b.{0,80}model|The model `?[\w./:-]{1,100}`? does not exist|\bmodel_not_found\b"
        r"|models/[\w./-]{1,100} is not found for API version"
        r"|invalid model (?:name|id)",
        not_for=_NOT_TESTS,
    ),
    fix(
        "context-too-long",
        "The prompt is longer than the model takes",
        "Give the agent less: a smaller diff, fewer files, no whole logs, or split the task. A model with a larger "
        "context or compaction of the session helps too.",
        r"(?i)prompt is too long: |context_length_exceeded|maximum context length is \d"
        r"|input token count .{0,40}exceeds"
        r"|exceeds? the (?:model's )?(?:maximum )?context (?:window|length)|input length and `?max_tokens`? exceed",
        not_for=_NOT_TESTS,
    ),
    fix(
        "model-content-refused",
        "The service refused the content",
        "See which part of the prompt it names, often a file or a comment from outside, and leave that out; trying "
        "again with the same text does not help.",
        r"(?i)blocked by (?:our )?content filter|content_policy_violation|Output blocked by content filtering"
        r"|finishReason\S{0,4} ?\S?(?:SAFETY|PROHIBITED_CONTENT)",
        not_for=_NOT_TESTS,
    ),
)

_SESSIONS: Final = (
    fix(
        "agent-max-turns",
        "The agent used all its turns",
        "Make the task smaller or say more clearly when it is done; then raise the limit of turns (`--max-turns`, "
        "`max_turns`). See in the agent's output whether it went in circles.",
        r"(?i)\berror_max_turns\b|Reached max(?:imum)? (?:number of )?turns|Max(?:imum)? session turns (?:reached"
        r"|exceeded)"
        r"|Reached max session turns|maximum (?:number of )?turns? (?:\(\d+\) )?(?:reached|exceeded)",
    ),
    fix(
        "agent-time-limit",
        "The agent worked longer than the step may take",
        "Make the task smaller, limit its turns so that it ends by itself, or raise `timeout-minutes` of the step. "
        "What it did without a commit is lost.",
        None,
        "step-time-limit",
        "job-time-limit",
        steps=r"(?i)claude|codex|gemini|copilot|coding agent|\bagent\b",
    ),
    fix(
        "agent-no-changes",
        "The agent changed nothing",
        "Read its last message: mostly the task was done already, was not clear, or it was not allowed to edit or run "
        "something. Let the step end green where no change is a fine result.",
        r"(?i)\bagent (?:made|produced) no changes|no changes (?:were )?made by the agent"
        r"|no safe outputs? (?:were |was )?(?:found|produced|generated)",
    ),
    fix(
        "mcp-server-failed",
        "A server of tools did not start",
        "Run its command by itself in a step to see what it prints: mostly a package, a path or a token in its `env` "
        "is missing, or it prints other text to stdout.",
        r"(?i)MCP server\b.{0,100}\b(?:failed|could not|unable|timed out|exited|disconnected)"
        r"|(?:failed|unable) to (?:start|launch|connect to|initialize) .{0,60}MCP|MCP error -3\d{4}"
        r"|MCP .{0,60}connection (?:closed|failed|timed out)",
        unless=r"(?i)\b(?:0|no) (?:MCP )?servers? failed",
    ),
    fix(
        "agent-firewall",
        "The agent's firewall blocked an address",
        "Add the host to what the agent may reach (the allow list of the agent's settings, `network: allowed`), or "
        "install what it needs in a set-up step, which runs before the firewall.",
        r"(?i)blocked by (?:the )?(?:agent(?:'s)? )?firewall|firewall (?:rules? )?blocked"
        r"|domain .{1,120}not in (?:the )?allow ?list"
        r"|host_not_allowed|blocked domains?: \S",
    ),
    fix(
        "agent-tool-denied",
        "The agent was not allowed to use a tool",
        "Allow the tool or the command in the agent's settings (such as `--allowedTools`), as narrow as the task needs "
        "it: nobody can answer a question in a run.",
        r"(?i)permission to use .{1,80} has been denied|requested permissions to .{1,200}, but you haven't granted"
        r"|This command requires approval|tool .{1,80} is not (?:in the )?allowed",
        not_for=_NOT_TESTS,
    ),
    fix(
        "agent-bot-refused",
        "The agent does not start for bots",
        "The run was started by a bot. Add it to the action's `allowed_bots` if it should start the agent, else skip "
        "the job for bots with an `if:`.",
        r"(?i)initiated by non-human actor|Add bot to allowed_bots",
    ),
    fix(
        "agent-actor-refused",
        "Who started the run may not use the agent",
        "The action only starts for people who may write to the repository. Skip the job for others with an `if:`, or "
        "let somebody with write access start it.",
        r"(?i)Actor does not have write permissions? to the repository",
    ),
    fix(
        "agent-app-missing",
        "The agent's app is not installed here",
        "Install the agent's GitHub App for this repository, or hand the action a token of your own (`github_token`).",
        r"(?i)(?:Claude Code|app) is not installed on this repository",
    ),
    fix(
        "agent-workflow-differs",
        "The workflow differs from the one on the default branch",
        "The agent's app only gives a token to workflows that are the same on the default branch: merge the change of "
        "the workflow file first, without the agent.",
        r"(?i)must exist and have identical content to the version on the repository's default branch",
    ),
    fix(
        "agent-dialogue",
        "The agent waits for an answer that nobody can give",
        "Start it without a dialogue (`-p`, `exec`, `--yolo` or the like of your agent) and with the permissions that "
        "the task needs.",
        r"(?i)Raw mode is not supported|stdin is not a (?:tty|terminal)|not running in an interactive terminal"
        r"|^(?:Error: )?stdin is not interactive",
    ),
)

_HUB: Final = (
    fix(
        "hub-gated",
        "The model on the Hub is behind a gate",
        "Accept its terms with the account of the token, and hand HF_TOKEN to the step; a fine-grained token also "
        "needs the right to read gated repositories.",
        r"GatedRepoError|Cannot access gated repo|trying to access a gated repo|Access to model .{1,120} is restricted",
    ),
    fix(
        "hub-rate-limit",
        "The Hub was asked too often",
        "Hand HF_TOKEN to the step, as the limit without one is low, and keep the models: a cache, or a mounted "
        "HF_HOME with HF_HUB_OFFLINE=1.",
        r"\b429\b.{0,200}(?:huggingface\.co|hf\.co)|(?:huggingface|hf_hub).{0,200}\b429\b",
    ),
    fix(
        "hub-token",
        "The Hub does not take the token, or does not know the model",
        "Check the model's name, and that HF_TOKEN is set, valid and may read it: to a stranger a private model does "
        "not exist.",
        r"(?:^|\.)RepositoryNotFoundError|401 Client Error.{0,120}huggingface\.co|is not a valid model identifier"
        r"|Invalid user token",
    ),
    fix(
        "hub-unreachable",
        "The Hub was not to be reached, and the model is not in the cache",
        "Run the job again; keep the model in a cache or in the image so that the job does not depend on the network.",
        r"LocalEntryNotFoundError|We couldn't connect to '?https?://huggingface",
        general=True,
    ),
)

FIXES: Final[tuple[Fix, ...]] = (*_KEYS, *_MODELS, *_SESSIONS, *_HUB)
