"""Metering: telegrams, messages and files become `Readings`. A gap or a register reset never becomes energy."""
