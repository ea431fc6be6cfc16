-- count_claimed 1
SELECT COUNT(*) FROM temp.claimed_phone_e164_vip_0a1b2c3d;
