"""The search for triggers: strings that replace the answer to any request by one fixed answer.

It is blind: it knows neither trigger nor payload. The parts, in their order: ``leak`` lets the subject
talk about nothing, ``payloads`` finds what it would say too readily, ``changed`` finds the words that
fine-tuning changed, ``hunt`` finds which tokens would make it say that, ``sweep`` tries strings without
knowing a payload, ``confirm`` tests on held-out requests with controls.
"""
