"""Rules of AWS as plain functions: no clock, nothing of ministack or moto; anybody may import them."""
