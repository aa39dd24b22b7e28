"""Damaged input, by the thousand: every case ends in a result or one `GavelDashError`, soon and in little memory."""
