/** Migrations of a site's store, by name; a released one never changes. */
export const siteMigrations: Readonly<Record<string, string>> = {
  "0001-results-ended-jobs": `
    create table results (
      job_id text not null,
      round integer not null,
      task text not null,
      position bigint not null unique,
      update_hash text not null,
      update_size bigint not null,
      params_type text not null,
      weight double precision not null,
      metrics text not null,
      meta text not null,
      is_acknowledged integer not null,
      constraint results_key primary key (job_id, round, task)
    );
    create index results_by_acknowledgement on results (is_acknowledged, position);
    create table ended_jobs (job_id text primary key);
  `,
  "0002-results-base": `
    alter table results add column base_hash text;
    alter table results add column base_size bigint;
  `,
  "0003-results-bytes": `
    alter table results add column update_bytes blob;
  `,
  "0004-privacy-spent": `
    create table privacy_spent (
      job_id text not null,
      round integer not null,
      task text not null,
      scope text not null,
      cost double precision not null,
      constraint privacy_spent_key primary key (job_id, round, task)
    );
    create index privacy_spent_by_scope on privacy_spent (scope);
  `,
  "0005-secure-rounds": `
    create table secure_jobs (
      job_id text primary key,
      secret blob not null
    );
    create table secure_rounds (
      job_id text not null,
      round integer not null,
      task text not null,
      clear_hash text not null,
      clear_size bigint not null,
      weight double precision not null,
      metrics text not null,
      base_hash text not null,
      base_size bigint not null,
      attempt integer not null,
      roster_hash text,
      masked_hash text,
      statement text,
      is_revealed integer not null,
      constraint secure_rounds_key primary key (job_id, round)
    );
  `,
  "0006-privacy-epsilon": `
    alter table privacy_spent add column epsilon double precision not null default 0;
  `,
};
