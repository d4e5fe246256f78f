"""The operator's drafts of rules: rehearsed on the last weeks, then set, or proposed by a member."""
