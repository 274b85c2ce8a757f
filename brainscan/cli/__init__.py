"""The command line: parse, call one clinic verb, print. No logic here."""
