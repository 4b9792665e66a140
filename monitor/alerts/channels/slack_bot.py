"""Slack by an app's bot token: one message for all that an alert's thread tells.

https://docs.slack.dev/reference/methods/chat.postMessage and https://docs.slack.dev/reference/methods/chat.update. What
goes on with an earlier alert makes that one's message show the present state, and tells the news below it in its
thread. Both can be repeated after a crash: the first changes nothing then, and the second is the one thing doubled.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from monitor.alerts.channels.channel import Answer, Poster
from monitor.alerts.channels.event import written
from monitor.alerts.render.slack import payload
from monitor.alerts.wording import one_line
from monitor.errors import ChannelError
from storage.alert_records import Delivery, Sent

_RECEIPT = re.compile(r"(?P<channel>[A-Z0-9]+):(?P<first>\d+\.\d+)(?::\d+\.\d+)?")
"""Channel, ts of the thread's first message, and that of the reply: a receipt of ours."""

# What Slack's error codes mean for the one who reads them.
_MEANINGS = {
    "account_inactive": "the app was removed from the workspace: install it again and copy its token",
    "channel_not_found": "there is no such channel, or the app cannot see it: check `channel`, and invite the app",
    "ekm_access_denied": "an administrator has suspended posting",
    "invalid_auth": "the token is wrong: copy it again",
    "is_archived": "the channel is archived: choose another",
    "missing_scope": "the app lacks the scope chat:write: add it, and install the app again",
    "msg_too_long": "the message is too long for Slack",
    "msg_blocks_too_long": "the message is too long for Slack",
    "no_permission": "the app may not post: check its scopes",
    "not_allowed_token_type": "this is no bot token: copy the one that begins with xoxb-",
    "not_authed": "there is no token in the request: check the variable",
    "not_in_channel": "the app is no member of the channel: write /invite and its name there",
    "restricted_action": "an administrator has restricted posting there",
    "team_access_not_granted": "the app is not installed in this workspace",
    "token_expired": "the token has expired: switch token rotation off, or copy a new one",
    "token_revoked": "the token was revoked: install the app again and copy its token",
}
_FOR_NOW = {
    *("rate_limited", "ratelimited", "fatal_error", "internal_error", "service_unavailable", "request_timeout"),
    *("team_added_to_org", "org_login_required"),
}
# The first message cannot be reached any more, but a new one may be posted.
_GONE = {
    *("message_not_found", "cant_update_message", "thread_not_found", "channel_not_found", "is_archived"),
    *("not_in_channel", "cannot_reply_to_message", "restricted_action_thread_locked"),
}
# The first message stays as it is, and takes replies.
_FIXED = {"edit_window_closed"}


class SlackError(ChannelError):
    """Slack took the request and refused it. ``code`` is its short word for why."""

    code = ""


@dataclass(frozen=True, slots=True)
class SlackBot:
    """Posts and updates deliveries. ``channel`` is an ID or a name; ``token_env`` names the variable of the token."""

    api: str
    channel: str
    timeout: timedelta
    token_env: str
    poster: Poster
    token: str = field(repr=False)

    async def send(self, delivery: Delivery) -> Sent:
        """Post the alert, or go on with the message of its thread. Raises ChannelError unless Slack answers ok."""
        message = payload(delivery.alert)
        receipt = delivery.thread and _RECEIPT.fullmatch(delivery.thread[-1])
        if receipt and not delivery.resends:
            try:
                news = delivery.alert.finding.phase == "update"
                return await self._go_on(receipt["channel"], receipt["first"], message, news=news)
            except SlackError as error:
                if error.code not in _GONE:
                    raise
        answer = await self._call("chat.postMessage", {"channel": self.channel, **message})
        return Sent(f"{answer.get('channel')}:{answer.get('ts')}")

    async def _go_on(self, channel: str, first: str, message: dict[str, Any], *, news: bool) -> Sent:
        """Update the first message, then reply to it: an update alone would notify nobody.

        A reply alone notifies only those who follow the thread: ``news`` shows it in the channel, too.
        """
        try:
            shown = {"text": message["text"], "blocks": message["blocks"]}
            await self._call("chat.update", {"channel": channel, "ts": first, **shown})
        except SlackError as error:
            if error.code not in _FIXED:
                raise
        short = {name: value for name, value in message.items() if name != "blocks"}
        reply = {"channel": channel, "thread_ts": first, "reply_broadcast": news, "parse": "none", **short}
        answer = await self._call("chat.postMessage", reply)
        return Sent(f"{channel}:{first}:{answer.get('ts')}")

    async def _call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a method of Slack's interface and return its answer. Raises ChannelError unless that is ok."""
        headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {self.token}"}
        answer = await self.poster.post(
            f"{self.api}{method}", written(arguments), headers, self.timeout, secrets=(self.token,)
        )
        said = _fields(answer.text)
        if said.get("ok") is True:
            return said
        raise self._refusal(answer, said)

    def _refusal(self, answer: Answer, said: dict[str, Any]) -> ChannelError:
        code = one_line(str(said.get("error") or answer.text), 100)
        told = f"{urlsplit(self.api).hostname} answered {answer.status} {code}".rstrip()
        if not said or answer.status >= 500 or answer.status == 429 or code in _FOR_NOW:  # noqa: PLR2004 - HTTP
            return SlackError(f"{told}, not ok", retry_after=answer.retry_after)
        meaning = _MEANINGS.get(code, "the message was refused")
        scope = f" (it needs {one_line(str(said['needed']), 60)})" if said.get("needed") else ""
        error = SlackError(f"{told}: {meaning}{scope} (token in {self.token_env})", retry=False)
        error.code = code
        return error


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
