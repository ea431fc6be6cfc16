-- The job inside Snowflake: a task starts a container that may reach Klaviyo and nothing else.
-- Written from target prod of profile shop. Before you run it:
--   1. put the key where it says so, in a worksheet that is not kept;
--   2. run `dbt parse`, build docs/schedules/Dockerfile with your project in it but without run_results.json,
--      and push it to the image repository; again with each change of the project. dbt's results are read
--      from the table of the dbt package, so install that;
--   3. let the target in the image's profiles.yml sign in by the token that Snowflake gives the container:
--        prod:
--          type: snowflake
--          account: '{{ env_var(''SNOWFLAKE_ACCOUNT'') }}'
--          host: '{{ env_var(''SNOWFLAKE_HOST'') }}'
--          authenticator: oauth
--          token_file_path: /snowflake/session/token
--          role: RETL
--          warehouse: RETL_XS
--          database: ANALYTICS
--          threads: 4
--          schema: MARTS
-- The job follows the task ANALYTICS.DBT.BUILD, which builds with dbt, for example:
--   CREATE OR REPLACE TASK ANALYTICS.DBT.BUILD WAREHOUSE = RETL_XS SCHEDULE = 'USING CRON 15 6 * * * UTC'
--     AS EXECUTE DBT PROJECT ANALYTICS.DBT.SHOP ARGS = 'build --target prod';
-- RETL has to own it too. If it fails, the job does not run. Suspend it while you run this.
-- A role that may create roles, integrations and compute pools runs the first part; RETL owns the second.

USE ROLE ACCOUNTADMIN;
CREATE TRANSIENT SCHEMA IF NOT EXISTS ANALYTICS.REVERSE_ETL DATA_RETENTION_TIME_IN_DAYS = 1;
CREATE IMAGE REPOSITORY IF NOT EXISTS ANALYTICS.REVERSE_ETL.IMAGES;
CREATE OR REPLACE NETWORK RULE ANALYTICS.REVERSE_ETL.KLAVIYO_API
  MODE = EGRESS TYPE = HOST_PORT VALUE_LIST = ('a.klaviyo.com:443');
CREATE SECRET IF NOT EXISTS ANALYTICS.REVERSE_ETL.KLAVIYO_KEY
  TYPE = GENERIC_STRING SECRET_STRING = 'put the private key in here';
CREATE OR REPLACE EXTERNAL ACCESS INTEGRATION REVERSE_ETL_KLAVIYO
  ALLOWED_NETWORK_RULES = (ANALYTICS.REVERSE_ETL.KLAVIYO_API)
  ALLOWED_AUTHENTICATION_SECRETS = (ANALYTICS.REVERSE_ETL.KLAVIYO_KEY)
  ENABLED = TRUE;
CREATE COMPUTE POOL IF NOT EXISTS REVERSE_ETL_POOL
  MIN_NODES = 1 MAX_NODES = 1 INSTANCE_FAMILY = CPU_X64_XS
  AUTO_RESUME = TRUE AUTO_SUSPEND_SECS = 60 INITIALLY_SUSPENDED = TRUE;
GRANT USAGE ON DATABASE ANALYTICS TO ROLE RETL;
GRANT USAGE, CREATE TABLE, CREATE SERVICE ON SCHEMA ANALYTICS.REVERSE_ETL TO ROLE RETL;
GRANT USAGE, CREATE TASK ON SCHEMA ANALYTICS.DBT TO ROLE RETL;
GRANT READ ON IMAGE REPOSITORY ANALYTICS.REVERSE_ETL.IMAGES TO ROLE RETL;
GRANT READ ON SECRET ANALYTICS.REVERSE_ETL.KLAVIYO_KEY TO ROLE RETL;
GRANT USAGE ON INTEGRATION REVERSE_ETL_KLAVIYO TO ROLE RETL;
GRANT USAGE, MONITOR ON COMPUTE POOL REVERSE_ETL_POOL TO ROLE RETL;
GRANT USAGE ON WAREHOUSE RETL_XS TO ROLE RETL;
GRANT EXECUTE TASK ON ACCOUNT TO ROLE RETL;

USE ROLE RETL;
-- A job's name is kept for a while after it has ended, so the first task drops the last one.
CREATE OR REPLACE TASK ANALYTICS.DBT.REVERSE_ETL_CLEAR
  WAREHOUSE = RETL_XS
  AFTER ANALYTICS.DBT.BUILD
  AS DROP SERVICE IF EXISTS ANALYTICS.REVERSE_ETL.REVERSE_ETL_JOB;
CREATE OR REPLACE TASK ANALYTICS.DBT.REVERSE_ETL_RUN
  WAREHOUSE = RETL_XS
  USER_TASK_TIMEOUT_MS = 21600000
  AFTER ANALYTICS.DBT.REVERSE_ETL_CLEAR
  AS EXECUTE JOB SERVICE
  IN COMPUTE POOL REVERSE_ETL_POOL
  NAME = ANALYTICS.REVERSE_ETL.REVERSE_ETL_JOB
  EXTERNAL_ACCESS_INTEGRATIONS = (REVERSE_ETL_KLAVIYO)
  FROM SPECIFICATION $$
spec:
  containers:
  - name: main
    image: /analytics/reverse_etl/images/reverse_etl:latest
    args:
    - --log-format
    - json
    - run
    - --target
    - prod
    secrets:
    - snowflakeSecret:
        objectName: ANALYTICS.REVERSE_ETL.KLAVIYO_KEY
      secretKeyRef: secret_string
      envVarName: DESTINATIONS__KLAVIYO__PRIVATE_API_KEY
    resources:
      requests:
        memory: 1Gi
        cpu: 0.5
      limits:
        memory: 2Gi
        cpu: 1
$$;
ALTER TASK ANALYTICS.DBT.REVERSE_ETL_RUN RESUME;
ALTER TASK ANALYTICS.DBT.REVERSE_ETL_CLEAR RESUME;
