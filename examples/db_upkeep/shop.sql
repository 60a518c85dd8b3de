CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, note TEXT);
CREATE INDEX orders_by_customer ON orders (customer);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO orders SELECT i, 'customer ' || i % 700, 'left at the door, second floor' FROM n;
DELETE FROM orders WHERE id % 10 > 0;
