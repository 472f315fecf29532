"""A consent issuer: it takes down what people agree to, signs it, takes it back, and says whether it holds.

An information system like others, behind the adapter of its member, as two services of that adapter (Python classes).
"""
