"""Sentences that rooms and errors say, for the catalogues: pages say them by `language.known`."""

from __future__ import annotations

from transactive.texts.language import N_

SAVED_BY = (
    N_("Bought from neighbours below the supplier’s price"),
    N_("Sold to neighbours above the feed-in price"),
    N_("The battery follows the market"),
    N_("Community account and levy"),
    N_("Flexibility, certificates and credits"),
    N_("More or less than ordered"),
)
"""Reasons of a saving: insight/advice/saved.py."""
FINDINGS = (
    *(N_("Theft"), N_("Unmetered energy"), N_("Dead meter"), N_("Stuck meter"), N_("Clock shift"), N_("Pv fault")),
    *(N_("Battery fault"), N_("Short delivery"), N_("Unusual use"), N_("Poor data")),
    *(N_("theft"), N_("unmetered energy"), N_("dead meter"), N_("stuck meter"), N_("clock shift"), N_("PV fault")),
    *(N_("battery fault"), N_("short delivery"), N_("unusual use"), N_("poor data")),
)
"""Kinds of findings: insight/detection/findings.py."""
PROBLEMS = (
    *(
        N_("Bad Request"),
        N_("Unauthorized"),
        N_("Forbidden"),
        N_("Not Found"),
        N_("Method Not Allowed"),
        N_("Conflict"),
    ),
    *(N_("Misdirected Request"), N_("Too Many Requests"), N_("Internal Server Error"), N_("Service Unavailable")),
    N_("There is nothing at this address; correct it, or begin at the community."),
    N_("This address takes no such request; see the description of the API."),
    N_("The server failed; its log says where. Please report it."),
    N_("The scope of this token does not include this."),
    N_("the run has not begun; ask again in a moment"),
    N_("This link was used, or is older than ten minutes; start the server again for another."),
    N_("Over plain HTTP others could read a password. Open this page by https; examples/proxy says how."),
    N_("This step was sent by a page of another site; open this page and take it there."),
)
"""Titles and details of problems: web/problems.py and who raises them."""
SIGNING_IN = (
    N_("Name or password are not right. Who lost the password asks the operator for a new link."),
    N_("The password is not right."),
    N_("The old password is not right."),
    N_("This link was used, withdrawn, or is too old; nothing was changed."),
    N_("This link was used, or is older than two weeks; ask the operator for another."),
    N_("password: takes 10 to 200 letters; a few words are good"),
    N_("password: has the name in it; choose another"),
    N_("name: takes 2 to 64 letters, digits, spaces and . @ + - _"),
)
"""Why somebody does not come in: web/accounts/signing_in.py."""
SCOPES = N_("member"), N_("operator"), N_("grid"), N_("auditor")
"""Who may see what: web/viewers.py."""
CREDITS = N_("removal"), N_("avoidance")
"""Kinds of carbon credits: core/community/members.py."""
LEVIES = N_("off"), N_("shadow"), N_("fixed"), N_("floor"), N_("oracle")
"""Modes of the carbon levy: core/community/carbon_rules.py."""
FORECASTERS = (N_("empirical quantiles"),)
"""What forecasts where no model is trained: store/read/forecasts.py."""
