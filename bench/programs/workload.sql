-- SPDX-License-Identifier: Apache-2.0 OR MIT
-- A database in memory: filled, indexed, joined, grouped, changed and checked.
create table person(id integer primary key, name text, age int);
create table pet(owner int references person(id), name text, born int);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
    insert into person select i, printf('person %d %.*c', i, i % 60, 'x'), i * 7919 % 100 from n;
insert into pet select id, 'pet of ' || name, id * 31 % 20 from person where id % 2 = 0;
create index by_age on person(age);
create index by_owner on pet(owner);
select age, count(*), max(pet.name), group_concat(pet.born) from person join pet on pet.owner = person.id
    where person.id % 7 = 0 group by age order by age;
update person set name = upper(name) where age < 30;
delete from person where id % 3 = 0;
select count(*), sum(length(name)) from person where name like '%9%x';
select p.name || '/' || q.name from person p join person q on q.id = p.id + 1 order by p.name desc limit 5;
pragma integrity_check;
