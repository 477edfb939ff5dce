"""The world of a handler under test: what AWS answers, and what goes wrong with a call."""
