-- Removing a way into an account takes a decision over several rows, each seen as it is after the
-- lock: a single statement would still see what it saw before it waited.
CREATE FUNCTION remove_way_in(p_user_id uuid, p_row_id uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM users WHERE id = p_user_id FOR UPDATE;
  PERFORM 1 FROM keyring_rows WHERE id = p_row_id AND user_id = p_user_id;
  IF NOT FOUND THEN
    RETURN 'absent';
  END IF;
  -- A recovery code opens the door once more, but nobody signs in with it every day.
  PERFORM 1 FROM keyring_rows WHERE user_id = p_user_id AND id <> p_row_id AND method <> 'recovery';
  IF NOT FOUND THEN
    RETURN 'last';
  END IF;
  DELETE FROM keyring_rows WHERE id = p_row_id;
  RETURN 'removed';
END
$$;
