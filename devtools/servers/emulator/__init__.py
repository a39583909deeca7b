"""An e-mail provider as a process of its own: it outlives everything that is killed around it.

It speaks Postmark's and Resend's send APIs, lies, throttles and fails as told at `/control/…`, and
writes each mail it takes to a log of its own before it says anything. It never says yes and drops.
"""
