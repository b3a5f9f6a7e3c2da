-- One request after another of those that stand behind `--`: path, authorization, path, authorization …
local requests, at = {}, 0

function init(args)
  for i = 1, #args, 2 do
    local headers = args[i + 1] ~= '' and { Authorization = args[i + 1] } or {}
    requests[#requests + 1] = wrk.format('GET', args[i], headers)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
