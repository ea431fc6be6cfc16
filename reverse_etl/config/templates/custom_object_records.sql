-- Records of a custom object. A changed record is sent whole; `data_source_id` is the id of its data source.
{{ config(
    surface='request',
    unique_key=['data_source_id', 'id'],
    request={
        'method': 'POST',
        'path': '/api/data-source-record-bulk-create-jobs',
        'mode': 'grouped',
        'group_by': ['data_source_id'],
        'max_rows': 500,
        'max_bytes': 4000000,
        'body': '{"data": {
            "type": "data-source-record-bulk-create-job",
            "attributes": {"data-source-records": {"data": {{ rows }}}},
            "relationships": {"data-source": {"data": {"type": "data-source", "id": {{ data_source_id }}}}}
        }}',
        'row': '{
            "type": "data-source-record",
            "attributes": {"record": {"id": {{ id }}, "customer_email": {{ customer_email }}, "total": {{ total }}}}
        }',
        'repeat': 'safe',
    },
) }}
select data_source_id, id, customer_email, total
from {{ ref('orders') }}
