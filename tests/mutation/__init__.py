"""What a role does not need: each action is taken away in turn, and what was recorded is replayed.

`make try` keeps what IAM was asked of every role in a scenario, and the policies by which it answered
(tryout/judged/calls.py). An action is needed when a call that was allowed with it is denied without it (`replay`), when
without it a rule of AWS finds a delivery or a call that fails (`rules`), when the happy path of the role's function
makes the call (`handlers`), or the user data of its instances (`scripts`). What none of them shows needs a reason
(`reasons`), or goes.
"""
