-- Makes a key live until `at` at least, also one that has no expiry; says whether it had none.
local function keep_until(key, at)
  local stands = redis.call('PEXPIRETIME', key)
  if stands == -1 or (stands >= 0 and stands < at) then
    redis.call('PEXPIREAT', key, at)
  end
  return stands == -1
end
