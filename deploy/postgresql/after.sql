-- As the role afterglow, once, after the first migration; harmless again.
-- A message changes its state four times, and each tick reads the partial indexes: dead rows must go
-- long before a fifth of a large table is dead.
ALTER TABLE reminders_message SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE reminders_attempt SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE reminders_notice SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE reminders_providerevent SET (autovacuum_vacuum_scale_factor = 0.01);
-- One row, written with each tick: cleaned when a few hundred copies are dead.
ALTER TABLE reminders_pulse SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, fillfactor = 10);
